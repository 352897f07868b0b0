import { setTimeout as sleep } from 'node:timers/promises';
import { APP, startServer } from '../lib/servers.mjs';
import { Client, many, publish } from './clients.mjs';
import { askRedis, atRest, each, percentile, pssOf, redisBytes } from './measure.mjs';

const SETTINGS = { max_channels_per_connection: 2_000, presence_max_members: 20_000, client_msg_rate_limit: -1 };

async function withCluster(nodes, work) {
  const cluster = await startServer('pogo', { settings: SETTINGS, redis: { nodes } });
  try {
    return await work(cluster);
  } finally {
    await cluster.stop();
  }
}

/** @param work carried out `count` times, some at a time */
const costOf = (cluster, { count, idle }, work) => each(cluster, count, idle, () => many(count, work));

/** 1 to 4 nodes: what an event, a join and a second cost all of them together. */
export async function nodesAxis({ nodes: all, events, idle }, report) {
  const points = [];
  for (const nodes of all) {
    await withCluster(nodes, async (cluster) => {
      const clients = await many(50 * nodes, (i) => Client.connect(cluster.nodes[i % nodes]));
      for (const client of clients.slice(0, nodes)) await client.subscribe('everywhere');
      await many(clients.length, (i) => clients[i].subscribe(`only-${i}`));
      const [first] = cluster.nodes;
      const how = { count: events, idle };
      await many(events, () => publish(first, 'only-0'));
      const everywhere = await costOf(cluster, how, () => publish(first, 'everywhere'));
      const somewhere = await costOf(cluster, how, (i) => publish(first, `only-${i % clients.length}`));
      const join = await costOf(cluster, how, (i) => clients[i % clients.length].subscribe(`new-${i}`));
      points.push({ nodes, everywhere, somewhere, join, rest: await atRest(cluster, 2 * idle) });
      for (const client of clients) client.close();
    });
    report(`${nodes} nodes`);
  }
  return points;
}

/** Channels of one node, to 100,000. */
export async function channelsAxis({ channels: all, events, idle }, report) {
  return withCluster(1, async (cluster) => {
    const [node] = cluster.nodes;
    const clients = await many(200, () => Client.connect(node));
    const points = [];
    const [redisBefore, gatewayBefore] = [await redisBytes(cluster.redis), await pssOf(node.pid)];
    let channels = 0;
    for (const wanted of all) {
      const count = wanted - channels;
      const join = await costOf(cluster, { count, idle }, (i) =>
        clients[(channels + i) % 200].subscribe(`c-${channels + i}`),
      );
      channels = wanted;
      const event = await costOf(cluster, { count: events, idle }, () =>
        publish(node, `c-${Math.floor(Math.random() * channels)}`),
      );
      const rest = await atRest(cluster, 2 * idle);
      const restoredAfterSeconds = await interrupt(cluster);
      points.push({
        channels,
        join,
        event,
        rest,
        restoredAfterSeconds,
        redisBytesEach: ((await redisBytes(cluster.redis)) - redisBefore) / channels,
        gatewayBytesEach: ((await pssOf(node.pid)) - gatewayBefore) / channels,
      });
      report(`${channels} channels`);
    }
    for (const client of clients) client.close();
    return points;
  });
}

/** Cuts the node's connections to Redis. @returns how long it takes to write down what it holds */
async function interrupt({ redis, nodes: [node] }) {
  const isReady = async () => (await fetch(`http://${node.host}:${node.port}/ready`)).status === 200;
  for (const type of ['normal', 'pubsub']) await askRedis(redis, `CLIENT KILL TYPE ${type}`);
  const from = performance.now();
  while (await isReady()) if (performance.now() - from > 500) break;
  while (!(await isReady())) await sleep(2);
  return (performance.now() - from) / 1_000;
}

/** Members of one presence channel, to 10,000, whom another node holds: joining alone, and leaving again. */
export async function membersAxis({ members: all, joins, idle }, report) {
  const { RedisNode, RedisOptions } = await import('../../dist/libs/hub/src/index.js');
  return withCluster(1, async (cluster) => {
    const holder = new RedisNode(new RedisOptions({ port: Number(new URL(cluster.redis.url).port) }));
    holder.onModuleInit();
    while (!holder.channels.isAvailable) await sleep(10);
    const [node] = cluster.nodes;
    const name = 'presence-large';
    const channel = { name, kind: 'presence', isCached: false };
    const wishes = { counts: false, webhooks: false };
    const points = [];
    let members = 0;
    // As the hub does it: who holds thousands must not be told of all of them with each that comes.
    let known;
    for (const wanted of all) {
      await many(wanted - members, async (i) => {
        const member = { userId: `user-${members + i}`, userInfoJson: '{"name":"Somebody"}' };
        const holding = { appId: APP.id, channel, socketId: `1.${members + i}`, member };
        const request = { ...holding, wishes, maxMembers: 20_000, ...(known === undefined ? {} : { known }) };
        const answer = await holder.channels.join(request);
        if (answer.members.length > (known?.members.length ?? 0)) known = answer;
      });
      members = wanted;
      const clients = await many(joins + 1, () => Client.connect(node));
      const millis = [];
      const join = async (i) => {
        const from = performance.now();
        await clients[i].subscribe(name, { user_id: `joiner-${i}`, user_info: { name: 'Somebody' } });
        millis.push(performance.now() - from);
      };
      const first = await each(cluster, 1, idle, () => join(joins));
      const [firstMillis] = millis.splice(0);
      const next = await each(cluster, joins, idle, async () => {
        for (let i = 0; i < joins; i++) {
          await join(i);
          const left = clients[joins].next('pusher_internal:member_removed', name);
          clients[i].close();
          await left;
        }
      });
      points.push({
        members,
        first: { ...first, millis: firstMillis },
        next: { ...next, millis: percentile(millis, 0.5), p99Millis: percentile(millis, 0.99) },
        answerBytes: clients[0].acknowledgedBytes,
      });
      clients[joins].close();
      known = undefined;
      await sleep(500);
      report(`${members} members`);
    }
    await holder.onApplicationShutdown();
    return points;
  });
}

/** Connections of one node, to 15,000. */
export async function connectionsAxis({ connections: all, idle }, report) {
  return withCluster(1, async (cluster) => {
    const [node] = cluster.nodes;
    const before = await pssOf(node.pid);
    const clients = [];
    const points = [];
    for (const wanted of all) {
      const count = wanted - clients.length;
      const connect = await costOf(cluster, { count, idle }, async () => {
        const client = await Client.connect(node);
        await client.subscribe(`room-${clients.length % 100}`);
        clients.push(client);
      });
      points.push({
        connections: wanted,
        connect,
        rest: await atRest(cluster, 4 * idle),
        bytesEach: ((await pssOf(node.pid)) - before) / wanted,
      });
      report(`${wanted} connections`);
    }
    for (const client of clients) client.close();
    return points;
  });
}
