import { setTimeout as sleep } from 'node:timers/promises';
import { beyondIdle } from '../lib/idle.mjs';
import { ofRun } from '../lib/metrics.mjs';
import { cpuSeconds } from '../lib/other-load.mjs';
import { ALL_DELIVERED, FAN_OUT } from './contestants.mjs';
import { COLUMNS } from './publish.mjs';

const SOCKETS = 1_000;
const BYTES = 200;

const ONE_CHANNEL = () => 'news';
/** `%d` counts the sockets of one node only. */
const CHANNEL_EACH = (node) => `room-${node}-%d`;

/** Subscribers, as many on each of `nodes`; resolves to what a publisher must be told to reach them. */
async function subscribe({ loadgen, aimAt }, nodes, channelOn) {
  const count = SOCKETS / nodes.length;
  for (const [i, node] of nodes.entries()) {
    await aimAt(node);
    await loadgen.send('connect', { group: `node${i}`, count, channel: channelOn(i) });
  }
  await aimAt(nodes[0]);
  return { name: 'p', bytes: BYTES, channel: [...new Set(nodes.map((_, i) => channelOn(i)))].join(), of: count };
}

/** The warm-up is a run of its own, so that what is read around the second one is that of the measured part. */
async function warmUp({ loadgen, timing: { warmup, drain } }, publisher) {
  await loadgen.send('publisher', publisher);
  await loadgen.send('run', { seconds: warmup, warmup: 0, drain });
}

async function publish({ loadgen, timing }, publisher) {
  await loadgen.send('publisher', publisher);
  return loadgen.send('run', { ...timing, warmup: 0 });
}

/** Half of the subscribers on each node, where there are two; the publisher talks to the first. */
async function overRedis(bench, channelOn, how) {
  const { server, nodes, timing } = bench;
  const publisher = { ...(await subscribe(bench, nodes, channelOn)), ...how };
  await warmUp(bench, publisher);
  if (server.redis === undefined) return ofRun(await publish(bench, publisher));
  const { counters } = server.redis;
  const { growth, answer } = await beyondIdle(counters, timing.seconds / 2, () => publish(bench, publisher));
  const redisCpuPerEvent = (growth.cpuSeconds * 1e6) / answer.answered;
  return { ...ofRun(answer), redisCpuPerEvent, redisShare: (growth.cpuSeconds / answer.seconds) * 100 };
}

const onNodes = (nodes, name) => ({ name, kind: 'pogo', redis: { nodes }, comparedTo: 'memory' });
const TWINS = [{ name: 'memory', kind: 'pogo' }, onNodes(1, '1 node'), onNodes(2, '2 nodes')];

const twin = (of, title, { channelOn, columns, warmup, ...publisher }) => ({
  id: `n-${of}`,
  family: 'n',
  title: `${of} over Redis (${title})`,
  contestants: TWINS,
  alone: 'it compares this server with itself',
  note: 'Two nodes share the core of one, and CPU is that of both.',
  onlyByName: true,
  runs: 3,
  warmup,
  columns: [...columns, 'redisCpuPerEvent', 'redisShare'],
  targets: TWINS.flatMap(({ name }) => ALL_DELIVERED.map((target) => ({ of: name, ...target }))),
  measure: (bench) => overRedis(bench, channelOn, publisher),
});

/** Everything happens on the first node; what the second one uses beyond what it uses when nothing happens. */
async function elsewhere(bench) {
  const { nodes, timing, contestant } = bench;
  const { channelOn, rate } = contestant;
  const publisher = { ...(await subscribe(bench, [nodes[0]], channelOn)), mode: 'open', rate };
  await warmUp(bench, publisher);
  const sample = () => ({ here: cpuSeconds(nodes[0].pid), elsewhere: cpuSeconds(nodes[1].pid) });
  const { growth, answer } = await beyondIdle(sample, timing.seconds, () => publish(bench, publisher));
  return {
    ...ofRun(answer),
    cpuPerEvent: (growth.here * 1e6) / answer.answered,
    cpuPerEventElsewhere: (growth.elsewhere * 1e6) / answer.answered,
    elsewhereShare: (growth.elsewhere * 100) / timing.seconds,
  };
}

const SUBSCRIBED_ON_ONE = [
  { name: '1 channel', channelOn: ONE_CHANNEL, rate: 100 },
  { name: '1,000 channels', channelOn: CHANNEL_EACH, rate: 2_000 },
].map((contestant) => ({ ...contestant, kind: 'pogo', redis: { nodes: 2 } }));

/** Until a heartbeat has said how many connections there are now. */
const BEAT_MS = 1_000;
/** Until a node has unsubscribed from what nobody here listens to any more. */
const LINGER_MS = 7_000;

/** What Redis does for each of what a contestant does: `first` what must be there, then `each`, which says how many it were. */
async function perEach(bench) {
  const { server, timing, contestant } = bench;
  const { first, each, settleMs = BEAT_MS, publishes = false } = contestant;
  await first?.(bench);
  await sleep(BEAT_MS);
  const { growth, answer } = await beyondIdle(server.redis.counters, timing.seconds, async () => {
    const count = await each(bench);
    await sleep(settleMs);
    return count;
  });
  // Redis counts those of scripts and those of clients together, but never are there both.
  const [sent, inner] = publishes ? [growth.published, 0] : [0, growth.published];
  return {
    redisCommandsEach: (growth.sent + sent) / answer,
    redisInnerEach: (growth.inner + inner) / answer,
    redisReadsEach: growth.reads / answer,
    redisCpuEach: (growth.cpuSeconds * 1e6) / answer,
  };
}

const come =
  (channel, more = {}) =>
  async ({ loadgen }) => {
    const { connected } = await loadgen.send('connect', { group: 'many', count: SOCKETS, channel, ...more });
    return connected;
  };
const go = async ({ loadgen }) => (await loadgen.send('drop', { group: 'many' })).dropped;

const ROOMS = 20;
const MEMBERS = 50;

const comeIntoRooms = async ({ loadgen }) => {
  for (let i = 0; i < ROOMS; i++) {
    await loadgen.send('connect', { group: `room${i}`, count: MEMBERS, channel: `presence-${i}` });
  }
  return ROOMS * MEMBERS;
};
const leaveRooms = async ({ loadgen }) => {
  for (let i = 0; i < ROOMS; i++) await loadgen.send('drop', { group: `room${i}` });
  return ROOMS * MEMBERS;
};
const somebodyIn = (channel) => (bench) => bench.loadgen.send('connect', { group: 'somebody', count: 1, channel });
const publishTo = (channel) => async (bench) => {
  const { answered } = await publish(bench, {
    name: 'p',
    mode: 'open',
    rate: 2_000,
    channel,
    of: SOCKETS,
    bytes: BYTES,
  });
  return answered;
};
const bothIn = async (bench) => {
  await somebodyIn('lobby')(bench);
  await come('lobby')(bench);
};

const EACH = [
  { name: 'connect', each: come() },
  { name: 'disconnect', first: come(), each: go },
  { name: 'join', first: somebodyIn('lobby'), each: come('lobby') },
  { name: 'leave', first: bothIn, each: go },
  { name: 'first join', each: come('room-%d') },
  { name: 'last leave', first: come('room-%d'), each: go, settleMs: LINGER_MS },
  { name: 'presence join', each: comeIntoRooms },
  { name: 'presence leave', first: comeIntoRooms, each: leaveRooms, settleMs: LINGER_MS },
  { name: 'storm join', first: somebodyIn('lobby'), each: come('lobby', { inflight: SOCKETS }) },
  { name: 'event', first: come('room-%d'), each: publishTo('room-%d'), publishes: true },
  { name: 'cached event', first: come('cache-%d'), each: publishTo('cache-%d') },
].map((contestant) => ({ ...contestant, kind: 'pogo', redis: { nodes: 1 } }));

export const clusterScenarios = [
  twin('a100', '1 channel × 1,000 sockets, 100 events/s', {
    channelOn: ONE_CHANNEL,
    columns: FAN_OUT,
    mode: 'open',
    rate: 100,
  }),
  twin('b', '1 channel × 1,000 sockets, closed loop, 16 requests in flight', {
    channelOn: ONE_CHANNEL,
    columns: [...FAN_OUT, 'rejected'],
    mode: 'closed',
    inflight: 16,
  }),
  twin('c', '1,000 channels × 1 socket, 2,000 events/s, keep-alive', {
    channelOn: CHANNEL_EACH,
    columns: COLUMNS,
    warmup: 4,
    mode: 'open',
    rate: 2_000,
  }),
  {
    id: 'o',
    family: 'o',
    title: 'two nodes over Redis, 1,000 sockets and the publisher on one: 1 channel at 100 events/s, 1,000 at 2,000',
    contestants: SUBSCRIBED_ON_ONE,
    alone: 'it is about a node of this server that has nothing to do',
    note: 'CPU of each node beyond what it uses without events. What the other node uses does not grow with the events: on a busy core its heartbeats find cold caches.',
    onlyByName: true,
    runs: 3,
    // A microsecond per event is two milliseconds then, for the fewer events.
    seconds: 20,
    columns: [
      'eventsPerSecond',
      'cpuPerEvent',
      'cpuPerEventElsewhere',
      'elsewhereShare',
      'lost',
      'unsent',
      'serverShare',
      'generatorShare',
    ],
    targets: SUBSCRIBED_ON_ONE.flatMap(({ name: of }) => [
      { of, metric: 'elsewhereShare', atMost: 1 },
      ...ALL_DELIVERED.map((target) => ({ of, ...target })),
    ]),
    measure: elsewhere,
  },
  {
    id: 'p',
    family: 'p',
    title: 'what Redis does for each of 1,000 connections, joins, leaves, and for each event',
    heading: 'per',
    contestants: EACH,
    alone: 'it is about what this server asks of Redis',
    note: 'One node. README.md says what the rows and columns are.',
    onlyByName: true,
    runs: 3,
    columns: ['redisCommandsEach', 'redisInnerEach', 'redisReadsEach', 'redisCpuEach'],
    targets: [],
    measure: perEach,
  },
];
