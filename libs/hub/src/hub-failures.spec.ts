import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '@pogo/pusher-protocol';
import { PublishStatus } from './publish-status.js';
import { endOfTurn, hangUp, receives, subscribe, TestCluster, type TestClusterOptions } from './testing/hub-harness.js';
import { eventually } from './testing/test-api.js';

let cluster: TestCluster;
const start = (options: TestClusterOptions = {}) => (cluster = new TestCluster(options));
afterEach(() => cluster.close());

const count = async (channel: string) => (await cluster.directory.findChannel('app', channel, {})).subscriptionCount;

describe('HubService when things go wrong', () => {
  it('lets go of joins whose clients left while the broker is away', async () => {
    start({ seed: 1 });
    const { chaos } = cluster.node(0);
    chaos.isDown = true;
    const client = cluster.node(0).connect();
    const joining = subscribe(client, 'room');
    hangUp(client);
    await joining;
    expect(client.socket.names).toEqual([]);
  });

  it('ends its drain although the directory does not answer', async () => {
    start({ seed: 1 });
    const client = cluster.node(0).connect();
    await subscribe(client, 'room');
    cluster.node(0).chaos.isDown = true;
    await cluster.node(0).hub.drain(20);
    expect(client.socket.closed?.code).toBe(4200);
  });

  it('shows every member an event before the departure of a slow one that the event caused', async () => {
    start({ options: { outboundQueueSize: 1 } });
    const clients = Array.from({ length: 3 }, () => cluster.node(0).connect());
    for (const [i, client] of clients.entries()) await subscribe(client, 'presence-room', { userId: `u${i}` });
    const [first, slow, last] = clients as [(typeof clients)[0], (typeof clients)[0], (typeof clients)[0]];
    const publish = (event: string) => cluster.node(0).hub.publish('app', 'presence-room', event, '1');
    slow.socket.accepts = false;
    for (const event of ['e1', 'e2', 'e3']) {
      await publish(event);
      await endOfTurn();
    }
    expect(slow.socket.closed?.code).toBe(4100);
    await Promise.all([first, last].map((client) => receives(client, 'pusher_internal:member_removed')));
    for (const { socket } of [first, last]) {
      expect(socket.names.slice(-4)).toEqual(['e1', 'e2', 'e3', 'pusher_internal:member_removed']);
    }
  });

  it('survives thousands of slow members whose departures each block the next one', async () => {
    start({ options: { outboundQueueSize: 1 } });
    const clients = Array.from({ length: 2_000 }, () => cluster.node(0).connect());
    for (const [i, client] of clients.entries()) {
      await subscribe(client, `presence-${i}`, { userId: 'left' });
      await subscribe(client, `presence-${i + 1}`, { userId: 'right' });
    }
    await subscribe(clients[0] as (typeof clients)[0], 'room');
    const { hub } = cluster.node(0);
    for (const { socket } of clients) socket.accepts = false;
    for (const [i] of clients.entries()) await hub.publish('app', `presence-${i}`, 'block', '1');
    for (let i = 0; i < 3; i++) await hub.publish('app', 'room', 'overflow', '1');
    // The last one is in one channel only that got an event: it is blocked, and not over its bound.
    await eventually(() => hub.connectionCount === 1);
    hangUp(clients.at(-1) as (typeof clients)[0]);
    await eventually(async () => (await cluster.directory.listChannels('app', '')).length === 0);
  });

  it('is full while sockets that it closes are still there', () => {
    start({ options: { maxConnections: 2 } });
    const clients = [cluster.node(0).connect(), cluster.node(0).connect()];
    const { hub } = cluster.node(0);
    for (const { socket } of clients) socket.onClosed = () => undefined;
    for (const { connection } of clients) connection.close({ code: 4003, message: 'bye' });
    expect([hub.connectionCount, hub.isFull]).toEqual([0, true]);
    for (const client of clients) hangUp(client);
    expect(hub.isFull).toBe(false);
  });

  it('tells observers of every subscription that ends, however it ends', async () => {
    start();
    let open = 0;
    cluster.node(0).events.on('subscribed', () => open++);
    cluster.node(0).events.on('unsubscribed', () => open--);
    const client = cluster.node(0).connect();
    for (const channel of ['a', 'b', 'c']) await subscribe(client, channel);
    await subscribe(client, 'a');
    expect(open).toBe(3);
    await client.node.hub.unsubscribe(client.connection, 'a');
    expect(open).toBe(2);
    hangUp(client);
    expect(open).toBe(0);
    await eventually(async () => (await count('b')) === 0);
  });

  it('tells observers both, when the acknowledgement itself is too much for the client', async () => {
    start({ options: { outboundQueueSize: 1 } });
    const seen: string[] = [];
    cluster.node(0).events.on('subscribed', ({ channel }) => seen.push(`subscribed ${channel}`));
    cluster.node(0).events.on('unsubscribed', ({ channel }) => seen.push(`unsubscribed ${channel}`));
    const client = cluster.node(0).connect();
    client.socket.accepts = false;
    for (let i = 0; i < 2; i++) client.connection.sendText('{}');
    await subscribe(client, 'room');
    expect(client.socket.closed?.code).toBe(4100);
    expect(seen).toEqual(['subscribed room', 'unsubscribed room']);
  });

  it.each([
    ['events', { outboundQueueSize: 2 }, '1'],
    ['bytes', { outboundQueueBytes: 300 }, 'x'.repeat(100)],
  ])('holds only so many %s for a subscription without an answer', async (_name, options, data) => {
    start({ nodes: 2, seed: 1, options });
    const other = cluster.node(0).connect();
    await subscribe(other, 'room');
    const client = cluster.node(0).connect();
    cluster.node(0).chaos.isDown = true;
    const joining = subscribe(client, 'room');
    const publish = async () => {
      while ((await cluster.node(1).hub.publish('app', 'room', 'e', data)) === PublishStatus.broker_failed);
    };
    for (let i = 0; i < 2; i++) await publish();
    await receives(other, 'e', 2);
    expect(client.socket.closed).toBeUndefined();
    await publish();
    await eventually(() => client.socket.closed !== undefined);
    expect(client.socket.closed?.code).toBe(4100);
    cluster.node(0).chaos.isDown = false;
    await joining;
    expect(client.socket.names).not.toContain('pusher_internal:subscription_succeeded');
  });

  it('answers status 7 for channels that are no array of texts, whatever JavaScript passes', async () => {
    start();
    const { hub } = cluster.node(0);
    for (const channels of ['room', [7], [null], ['ok', 7], undefined, null, {}]) {
      const status = await hub.publishMany('app', channels as string[], 'e', '1');
      expect(status, JSON.stringify(channels)).toBe(PublishStatus.invalid_channels_json);
    }
  });

  it('publishes bytes as text within the same bound, and to a channel that is named twice once', async () => {
    start({ app: { limits: { ...DEFAULT_LIMITS, maxEventBytes: 4 } } });
    const { hub } = cluster.node(0);
    const client = cluster.node(0).connect();
    await subscribe(client, 'room');
    expect(await hub.publishMany('app', ['room', 'room'], 'e', Buffer.from('üö'))).toBe(PublishStatus.ok);
    expect(await hub.publish('app', 'room', 'e', Buffer.from('üöx'))).toBe(PublishStatus.payload_too_large);
    await hub.publish('app', 'room', 'end', '1');
    await receives(client, 'end');
    expect(client.socket.names).toEqual(['pusher_internal:subscription_succeeded', 'e', 'end']);
    expect(client.socket.events[2]?.data).toBe('üö');
  });

  it('takes what is no socket id for nobody to leave out', async () => {
    start();
    const client = cluster.node(0).connect();
    await subscribe(client, 'room');
    const status = await cluster.node(0).hub.publish('app', 'room', 'e', '1', { exceptSocketId: 'ü'.repeat(70_000) });
    expect(status).toBe(PublishStatus.ok);
    await receives(client, 'e');
  });

  it('reaches a signed-in user through the channel that is theirs', async () => {
    start();
    const client = cluster.node(0).connect();
    client.node.hub.signIn(client.connection, { id: 'ada', watchlist: [] });
    await subscribe(client, '#server-to-user-ada');
    expect(await cluster.node(0).hub.sendToUser('app', 'ada', 'invoice', '1')).toBe(PublishStatus.ok);
    await receives(client, 'invoice');
  });
});
