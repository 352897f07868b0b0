import { afterEach, describe, expect, it } from 'vitest';
import { PublishStatus } from '../publish-status.js';
import { endOfTurn, hangUp, receives, subscribe, TestCluster, type FakeClient } from '../testing/hub-harness.js';

let cluster: TestCluster;
afterEach(() => cluster.close());

const ACKNOWLEDGED = 'pusher_internal:subscription_succeeded';

async function subscriber(channel: string, member?: { userId: string }): Promise<FakeClient> {
  const client = cluster.node(0).connect();
  await subscribe(client, channel, member);
  return client;
}

const publish = (channel: string, event: string, node = 0) =>
  cluster.node(node).hub.publish('app', channel, event, '1');
const tick = () => new Promise((resolve) => process.nextTick(resolve));

describe('when something goes wrong in the middle of a batch', () => {
  it('ends the connection whose socket throws, and nothing else', async () => {
    cluster = new TestCluster({ options: { shardQueueSize: 2, numShards: 1 } });
    const clients = [await subscriber('room'), await subscriber('room'), await subscriber('room')];
    const [first, broken, last] = clients as [FakeClient, FakeClient, FakeClient];
    broken.socket.write = () => {
      throw new Error('fault of an embedded socket');
    };
    for (let i = 0; i < 5; i++) {
      expect(await publish('room', `e${i}`)).toBe(PublishStatus.ok);
      await endOfTurn();
    }
    expect(broken.socket.closed).toBeDefined();
    for (const { socket } of [first, last]) expect(socket.names).toEqual([ACKNOWLEDGED, 'e0', 'e1', 'e2', 'e3', 'e4']);
  });

  it('keeps the place of events in a shard only while somebody waits for them', async () => {
    cluster = new TestCluster({ options: { shardQueueSize: 1, numShards: 1 } });
    const leaver = await subscriber('room');
    expect(await publish('room', 'for nobody')).toBe(PublishStatus.ok);
    hangUp(leaver);
    await endOfTurn();
    await subscriber('room');
    expect(await publish('room', 'e')).toBe(PublishStatus.ok);
  });

  it('gives many that are closed at once one buffer', async () => {
    cluster = new TestCluster();
    const clients: FakeClient[] = [];
    for (let i = 0; i < 10; i++) clients.push(await subscriber('room'));
    for (let i = 0; i < 20; i++) await cluster.node(0).hub.publish('app', 'room', `e${i}`, 'x'.repeat(9_000));
    cluster.apps.replace([]);
    const buffers = new Set(clients.flatMap(({ socket }) => socket.chunks.filter(({ length }) => length > 9_000)));
    expect(buffers.size).toBe(3);
    for (const { socket } of clients) expect(socket.names.filter((name) => name.startsWith('e'))).toHaveLength(20);
  });
});

describe('a client that floods a channel', () => {
  it('cannot join and leave a presence channel faster than the others hear of it', async () => {
    cluster = new TestCluster();
    await subscriber('presence-room', { userId: 'watcher' });
    const client = cluster.node(0).connect();
    const { hub } = cluster.node(0);
    let rounds = 0;
    const flood = (async () => {
      for (; rounds < 1_000; rounds++) {
        await subscribe(client, 'presence-room', { userId: 'flood' });
        await hub.unsubscribe(client.connection, 'presence-room');
      }
    })();
    await tick();
    expect(rounds).toBeLessThan(40);
    rounds = 1_000;
    await flood;
  });

  it('has its next message wait while many of its client events are pending', async () => {
    cluster = new TestCluster();
    const sender = await subscriber('private-room');
    const other = await subscriber('private-room');
    const { hub } = cluster.node(0);
    const relay = (i: number) =>
      hub.clientEvent(sender.connection, { event: `client-${i}`, channel: 'private-room', dataJson: '1' });
    const answers = Array.from({ length: 40 }, (_, i) => relay(i));
    expect(answers.slice(0, 31)).toEqual(Array.from({ length: 31 }, () => undefined));
    await answers[39];
    expect(other.socket.names).toHaveLength(41);
  });
});

describe('a subscription', () => {
  it('that is joining when a batch is written gets nothing from before it came', async () => {
    cluster = new TestCluster({ seed: 3, nodes: 2 });
    const early = await subscriber('room');
    const late = cluster.node(0).connect();
    while ((await publish('room', 'before', 1)) !== PublishStatus.ok);
    cluster.node(0).chaos.isDown = true;
    const joining = subscribe(late, 'room');
    await receives(early, 'before');
    while ((await publish('room', 'after', 1)) !== PublishStatus.ok);
    await receives(early, 'after');
    cluster.node(0).chaos.isDown = false;
    await joining;
    await receives(late, 'after');
    expect(late.socket.names).not.toContain('before');
    expect(late.socket.names[0]).toBe(ACKNOWLEDGED);
  });

  it('that is made again gets what came before the second acknowledgement before it', async () => {
    cluster = new TestCluster();
    const client = await subscriber('cache-room');
    await publish('cache-room', 'e1');
    await publish('cache-room', 'e2');
    await subscribe(client, 'cache-room');
    await endOfTurn();
    expect(client.socket.names).toEqual([ACKNOWLEDGED, 'pusher:cache_miss', 'e1', 'e2', ACKNOWLEDGED, 'e2']);
  });

  it('that a listener ends is not acknowledged, and reported as ended', async () => {
    cluster = new TestCluster();
    const { hub, events } = cluster.node(0);
    const heard: string[] = [];
    events.on('subscribed', ({ connection, channel }) => {
      heard.push('subscribed');
      void hub.unsubscribe(connection, channel);
    });
    events.on('unsubscribed', () => heard.push('unsubscribed'));
    const client = await subscriber('room');
    expect(client.socket.names).toEqual([]);
    expect(heard).toEqual(['subscribed', 'unsubscribed']);
  });
});
