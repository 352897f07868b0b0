import { afterEach, describe, expect, it } from 'vitest';
import { PublishStatus } from '../publish-status.js';
import { endOfTurn, hangUp, receives, subscribe, TestCluster, type FakeClient } from '../testing/hub-harness.js';
import { Shards } from './shards.js';

let cluster: TestCluster;
afterEach(() => cluster.close());

async function subscriber(node: number, ...channels: string[]): Promise<FakeClient> {
  const client = cluster.node(node).connect();
  for (const channel of channels) await subscribe(client, channel);
  return client;
}

const publish = (channel: string, event = 'e', node = 0) => cluster.node(node).hub.publish('app', channel, event, '1');

/** Lets everything go on that does not wait for the next turn. */
const tick = () => new Promise((resolve) => process.nextTick(resolve));

describe('the answer to a publisher', () => {
  it('comes at once while fewer than 32 events are pending in the channel, else after they are written', async () => {
    cluster = new TestCluster();
    const client = await subscriber(0, 'room');
    const answered: number[] = [];
    for (let i = 0; i < 40; i++) void publish('room', `e${i}`).then(() => answered.push(i));
    await tick();
    expect(answered).toEqual(Array.from({ length: 31 }, (_, i) => i));
    expect(client.socket.names).toHaveLength(1);
    await endOfTurn();
    expect(client.socket.names).toHaveLength(41);
    expect(answered).toHaveLength(40);
  });

  it('comes at once for a channel that nobody listens to, however much is published', async () => {
    cluster = new TestCluster();
    const statuses = await Promise.all(Array.from({ length: 100 }, () => publish('void')));
    expect(new Set(statuses)).toEqual(new Set([PublishStatus.ok]));
  });

  it('comes although the last subscriber leaves while the publisher waits', async () => {
    cluster = new TestCluster();
    const client = await subscriber(0, 'room');
    const answers = Array.from({ length: 40 }, () => publish('room'));
    await tick();
    hangUp(client);
    expect(await Promise.all(answers)).toEqual(answers.map(() => PublishStatus.ok));
  });
});

describe('a full shard', () => {
  it('refuses a publish with status 9, and takes the next one when it is written', async () => {
    cluster = new TestCluster({ options: { shardQueueSize: 3, numShards: 1 } });
    const client = await subscriber(0, 'room');
    const statuses = await Promise.all(['e0', 'e1', 'e2', 'e3'].map((event) => publish('room', event)));
    expect(statuses).toEqual([0, 0, 0, PublishStatus.shard_queue_full]);
    await endOfTurn();
    expect(await publish('room', 'e4')).toBe(PublishStatus.ok);
    await receives(client, 'e4');
    expect(client.socket.names.slice(1)).toEqual(['e0', 'e1', 'e2', 'e4']);
  });

  it('is judged for all channels and events of a request before anything is sent', async () => {
    cluster = new TestCluster({ options: { shardQueueSize: 3, numShards: 1 } });
    const client = await subscriber(0, 'a', 'b');
    const { hub } = cluster.node(0);
    const { app } = client.connection;
    const event = { channels: ['a', 'b'], event: 'e', data: '1' };
    expect(await hub.publishAll(app, [event, event])).toBe(PublishStatus.shard_queue_full);
    expect(await hub.publishAll(app, [event])).toBe(PublishStatus.ok);
    expect(await hub.publishAll(app, [event])).toBe(PublishStatus.shard_queue_full);
    await endOfTurn();
    expect(client.socket.names.filter((name) => name === 'e')).toHaveLength(2);
  });

  it('is not filled by channels that nobody here listens to', async () => {
    cluster = new TestCluster({ options: { shardQueueSize: 1, numShards: 1 } });
    await subscriber(0, 'room');
    expect(await publish('room')).toBe(PublishStatus.ok);
    expect(await publish('void')).toBe(PublishStatus.ok);
    expect(await publish('room')).toBe(PublishStatus.shard_queue_full);
  });

  it('drops and counts what another node publishes', async () => {
    cluster = new TestCluster({ nodes: 2, options: { shardQueueSize: 2, numShards: 1 } });
    const [client, there] = [await subscriber(0, 'room'), cluster.node(1)];
    const dropped: unknown[] = [];
    cluster.node(0).events.on('eventDropped', (event) => dropped.push(event));
    const statuses = await Promise.all(['e0', 'e1', 'e2'].map((event) => publish('room', event, 1)));
    expect(statuses).toEqual([0, 0, 0]);
    expect(dropped).toEqual([{ appId: 'app', reason: 'shard_queue_full', count: 1 }]);
    expect(cluster.node(0).hub.counters().shardDrops).toBe(1);
    expect(there.hub.counters().shardDrops).toBe(0);
    await endOfTurn();
    expect(client.socket.names.slice(1)).toEqual(['e0', 'e1']);
  });

  it('loses no member that comes or goes', async () => {
    cluster = new TestCluster({ options: { shardQueueSize: 1, numShards: 1 } });
    const watcher = cluster.node(0).connect();
    await subscribe(watcher, 'presence-room', { userId: 'watcher' });
    const members = Array.from({ length: 10 }, () => cluster.node(0).connect());
    await Promise.all(members.map((client, i) => subscribe(client, 'presence-room', { userId: `u${i}` })));
    for (const member of members) hangUp(member);
    await receives(watcher, 'pusher_internal:member_removed', 10);
    expect(watcher.socket.names.filter((name) => name.endsWith('member_added'))).toHaveLength(10);
  });
});

describe('Shards', () => {
  it('puts a topic into the shard that FNV-1a says', () => {
    // Vectors of the FNV reference: fnv1a_32('') = 811c9dc5, ('a') = e40c292c, ('foobar') = bf9cf968.
    const shards = new Shards(1_000, 1);
    expect(shards.shardOf('')).toBe(0x811c9dc5 % 1_000);
    expect(shards.shardOf('a')).toBe(0xe40c292c % 1_000);
    expect(shards.shardOf('foobar')).toBe(0xbf9cf968 % 1_000);
  });
});
