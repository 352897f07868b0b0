import { ofRun } from '../lib/metrics.mjs';
import { ALL_DELIVERED, BOTH, FAN_OUT, POGO } from './contestants.mjs';

const KIB = 1_024;

/** A small channel beside a huge one, both in the only shard, while the liveness sweep pings everybody. */
async function besideAGiant({ loadgen, timing }) {
  await loadgen.send('connect', { group: 'big', count: 10_000, channel: 'big' });
  await loadgen.send('connect', { group: 'small', count: 10, channel: 'small' });
  await loadgen.send('publisher', { name: 'big', mode: 'open', rate: 4, channel: 'big', bytes: 200 });
  await loadgen.send('publisher', { name: 'small', mode: 'open', rate: 50, channel: 'small', bytes: 200 });
  const answer = await loadgen.send('run', timing);
  const { p50, p99, p999 } = answer.groups.small.latencyMs;
  return { ...ofRun(answer), p50, p99, p999, bigP99: answer.groups.big.latencyMs.p99 };
}

const STALLED = 200;
const EVENT_BYTES = 10_000;
const EVENTS_PER_SECOND = 50;
const RECEIVE_BUFFER = 4_096;

/** Some subscribers of a channel stop reading; the others, of this channel and of another one, are timed. */
async function besideStalled({ loadgen, server, timing, contestant }) {
  const { stalls } = contestant;
  const rcvbuf = stalls ? RECEIVE_BUFFER : undefined;
  await loadgen.send('connect', { group: 'stalled', count: STALLED, channel: 'photos', rcvbuf });
  await loadgen.send('connect', { group: 'same', count: 100, channel: 'photos' });
  await loadgen.send('connect', { group: 'other', count: 100, channel: 'news' });
  const publisher = { mode: 'open', rate: EVENTS_PER_SECOND };
  await loadgen.send('publisher', { ...publisher, name: 'photos', channel: 'photos', bytes: EVENT_BYTES });
  await loadgen.send('publisher', { ...publisher, name: 'news', channel: 'news', bytes: 200 });
  if (stalls) await loadgen.send('stall', { group: 'stalled' });
  const answer = await loadgen.send('run', { ...timing, ignore: 'stalled' });
  const { outboxPeakBytes, slowConsumers, outboxDrops } = await server.counters();
  const otherChannelP99 = answer.groups.other.latencyMs.p99;
  return { ...ofRun(answer), otherChannelP99, outboxPeakKiB: outboxPeakBytes / KIB, slowConsumers, outboxDrops };
}

/** Longer than the scenario, so that the policy is at work and not the clock. */
const STALL_SETTINGS = { write_wait: '5m', outbound_queue_bytes: '1MiB' };

const HOT_CHANNELS = Array.from({ length: 10 }, (_, i) => `hot-${i}`).join(',');

/** Each request makes all channels of the only socket dirty in one turn. */
async function manyHotChannels({ loadgen, server, timing }) {
  await loadgen.send('connect', { group: 'one', count: 1, channel: HOT_CHANNELS });
  await loadgen.send('publisher', { name: 'p', mode: 'open', rate: 500, channel: HOT_CHANNELS, batch: 10, bytes: 200 });
  const before = await server.counters?.();
  const metrics = ofRun(await loadgen.send('run', timing));
  const after = await server.counters?.();
  if (after === undefined) return metrics;
  const writes = after.socketWrites - before.socketWrites;
  return { ...metrics, writesPerTen: (writes * 10) / (after.deliveries - before.deliveries) };
}

export const troubleScenarios = [
  {
    id: 'g',
    family: 'g',
    title:
      'a 10-socket channel, 50 events/s, beside a 10,000-socket one, 4 events/s, in one shard during liveness sweeps',
    contestants: [{ ...POGO, settings: { num_shards: 1, ping_period: '5s', pong_wait: '6s' } }],
    alone: 'soketi has neither shards nor a sweep that a setting could bring on',
    note: 'p50, p99 and p999 are those of the small channel. Every connection is pinged every 5 s.',
    seconds: 11,
    columns: ['p50', 'p99', 'p999', 'bigP99', 'cpuPerDelivery', 'lost', 'unsent', 'serverShare', 'generatorShare'],
    targets: [{ metric: 'p99', atMost: 15 }, ...ALL_DELIVERED],
    measure: besideAGiant,
  },
  {
    id: 'h',
    family: 'h',
    title: `${STALLED} sockets that stop reading, 10 KB events (more than 5 MB each), both policies`,
    contestants: [
      { name: 'no stalls', kind: 'pogo', stalls: false, settings: STALL_SETTINGS },
      ...['disconnect', 'drop'].map((policy) => ({
        name: policy,
        kind: 'pogo',
        comparedTo: 'no stalls',
        stalls: true,
        settings: { ...STALL_SETTINGS, slow_consumer: policy },
      })),
    ],
    alone: 'soketi has no policy: uWebSockets drops what exceeds a fixed bound, uncounted',
    note: 'Latencies are of the 200 sockets that go on reading, 100 of them on the same channel. Without stalls the other 200 read as well.',
    // With the warm-up more than 550 events.
    seconds: 11,
    columns: [
      'p50',
      'p99',
      'p999',
      'otherChannelP99',
      'lost',
      'unsent',
      'serverShare',
      'generatorShare',
      'outboxPeakKiB',
      'slowConsumers',
      'outboxDrops',
    ],
    targets: [
      ...['disconnect', 'drop'].flatMap((of) => [
        { of, metric: 'p99', to: 'no stalls', atMost: 1.5 },
        { of, metric: 'outboxPeakKiB', atMost: KIB },
        ...ALL_DELIVERED.map((target) => ({ of, ...target })),
      ]),
      { of: 'disconnect', metric: 'slowConsumers', atLeast: STALLED },
      { of: 'drop', metric: 'outboxDrops', atLeast: 1 },
    ],
    measure: besideStalled,
  },
  {
    id: 'k',
    family: 'k',
    title: '1 socket on 10 hot channels, 500 batches of 10/s, one event for each channel',
    contestants: BOTH,
    note: 'One write for each socket and turn is one for ten deliveries here. soketi does not count its writes.',
    columns: [...FAN_OUT, 'writesPerTen'],
    targets: [{ metric: 'writesPerTen', atMost: 1.05 }, ...ALL_DELIVERED],
    measure: manyHotChannels,
  },
];
