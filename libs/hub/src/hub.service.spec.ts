import { afterEach, describe, expect, it } from 'vitest';
import { PublishStatus } from './publish-status.js';
import { hangUp, receives, subscribe, TestCluster, type TestClusterOptions } from './testing/hub-harness.js';
import { eventually } from './testing/test-api.js';

let cluster: TestCluster;
const start = (options: TestClusterOptions = {}) => (cluster = new TestCluster(options));
afterEach(() => cluster.close());

/** Everything is asserted over the plain memory and over one that delays, reorders and fails its calls. */
const VARIANTS = [
  ['in memory', {}],
  ['in a memory that delays, reorders and fails', { seed: 7 }],
] as const;

describe.each(VARIANTS)('HubService %s', (_name, variant) => {
  /** What a publisher must do: repeat what was certainly not done. A status 6 may mean that it was. */
  async function publish(node: number, channel: string, event: string, exceptSocketId?: string): Promise<void> {
    const options = exceptSocketId === undefined ? {} : { exceptSocketId };
    while ((await cluster.node(node).hub.publish('app', channel, event, '1', options)) === PublishStatus.broker_failed);
  }

  it('delivers an event to the subscribers of its channel on every node, and to nobody else', async () => {
    start({ ...variant, nodes: 2 });
    const here = cluster.node(0).connect();
    const there = cluster.node(1).connect();
    const other = cluster.node(1).connect();
    await Promise.all([subscribe(here, 'room'), subscribe(there, 'room'), subscribe(other, 'lobby')]);
    await publish(0, 'room', 'hello');
    await publish(0, 'lobby', 'bye');
    await Promise.all([receives(here, 'hello'), receives(there, 'hello'), receives(other, 'bye')]);
    expect(other.socket.names).not.toContain('hello');
    expect(here.socket.events.find(({ event }) => event === 'hello')).toEqual({
      event: 'hello',
      channel: 'room',
      data: '1',
    });
  });

  it('leaves out the excluded connection on whatever node it is', async () => {
    start({ ...variant, nodes: 2 });
    const [a, b] = [cluster.node(0).connect(), cluster.node(1).connect()];
    await Promise.all([subscribe(a, 'room'), subscribe(b, 'room')]);
    await publish(0, 'room', 'others', b.connection.socketId);
    await publish(0, 'room', 'all');
    await Promise.all([receives(a, 'all'), receives(b, 'all')]);
    expect(a.socket.names).toContain('others');
    expect(b.socket.names).not.toContain('others');
  });

  it('acknowledges a subscription before any event of its channel', async () => {
    start({ ...variant, nodes: 2 });
    const client = cluster.node(0).connect();
    const subscribed = subscribe(client, 'room');
    const publishing = Array.from({ length: 20 }, (_, i) => publish(1, 'room', `event-${i}`));
    await Promise.all([subscribed, ...publishing]);
    await publish(1, 'room', 'last');
    await receives(client, 'last');
    expect(client.socket.names[0]).toBe('pusher_internal:subscription_succeeded');
    expect(client.socket.names.filter((name) => name === 'pusher_internal:subscription_succeeded')).toHaveLength(1);
  });

  it('shows all nodes one order per channel', async () => {
    start({ ...variant, nodes: 3 });
    const clients = cluster.nodes.map((node) => node.connect());
    await Promise.all(clients.map((client) => subscribe(client, 'room')));
    await Promise.all(
      Array.from({ length: 60 }, (_, i) => cluster.node(i % 3).hub.publish('app', 'room', `e-${i}`, '1')),
    );
    await publish(0, 'room', 'end');
    await Promise.all(clients.map((client) => receives(client, 'end')));
    const upToEnd = clients.map(({ socket }) => socket.names.slice(0, socket.names.indexOf('end')));
    expect(upToEnd[1]).toEqual(upToEnd[0]);
    expect(upToEnd[2]).toEqual(upToEnd[0]);
    expect(new Set(upToEnd[0]).size).toBe(upToEnd[0]?.length);
  });

  it('announces a member once to those who were there, and gives newcomers the list', async () => {
    start({ ...variant, nodes: 2 });
    const [a, b, tab] = [cluster.node(0).connect(), cluster.node(1).connect(), cluster.node(0).connect()];
    await subscribe(a, 'presence-room', { userId: 'a' });
    await subscribe(b, 'presence-room', { userId: 'b', userInfoJson: '{"n":1}' });
    await subscribe(tab, 'presence-room', { userId: 'b' });
    await receives(a, 'pusher_internal:member_added');
    await publish(0, 'presence-room', 'end');
    await Promise.all([a, b, tab].map((client) => receives(client, 'end')));
    expect(a.socket.names.filter((name) => name.startsWith('pusher_internal:member'))).toEqual([
      'pusher_internal:member_added',
    ]);
    expect(b.socket.names).not.toContain('pusher_internal:member_added');
    expect(tab.socket.events[1]?.data).toBe('{"presence":{"count":2,"ids":["a","b"],"hash":{"a":{},"b":{"n":1}}}}');
    hangUp(b);
    hangUp(tab);
    await receives(a, 'pusher_internal:member_removed');
    expect(a.socket.names.filter((name) => name === 'pusher_internal:member_removed')).toHaveLength(1);
  });

  it('leaves no ghost of a connection that closes while it joins', async () => {
    start({ ...variant, nodes: 2 });
    const watcher = cluster.node(1).connect();
    await subscribe(watcher, 'presence-room', { userId: 'watcher' });
    for (let i = 0; i < 30; i++) {
      const client = cluster.node(0).connect();
      const joining = subscribe(client, 'presence-room', { userId: `u${i}` });
      hangUp(client);
      await joining;
    }
    await eventually(
      async () => (await cluster.directory.findChannel('app', 'presence-room', {})).subscriptionCount === 1,
    );
  });

  it('lets a connection leave and come back to the same channel', async () => {
    start(variant);
    const client = cluster.node(0).connect();
    const { hub } = cluster.node(0);
    for (let i = 0; i < 10; i++) {
      await subscribe(client, 'presence-room', { userId: 'a' });
      await hub.unsubscribe(client.connection, 'presence-room');
    }
    await subscribe(client, 'presence-room', { userId: 'a' });
    expect((await cluster.directory.findChannel('app', 'presence-room', {})).subscriptionCount).toBe(1);
    await publish(0, 'presence-room', 'end');
    await receives(client, 'end');
    expect(client.socket.names.filter((name) => name === 'pusher_internal:subscription_succeeded')).toHaveLength(11);
  });

  it('sends the last event of a cache channel after the acknowledgement, once, or a miss', async () => {
    start({ ...variant, nodes: 2 });
    const early = cluster.node(0).connect();
    await subscribe(early, 'cache-room');
    expect(early.socket.names).toEqual(['pusher_internal:subscription_succeeded', 'pusher:cache_miss']);
    await publish(1, 'cache-room', 'news');
    await receives(early, 'news');
    const late = cluster.node(1).connect();
    await subscribe(late, 'cache-room');
    expect(late.socket.names).toEqual(['pusher_internal:subscription_succeeded', 'news']);
  });

  it('terminates a user’s connections on every node, signed in or member', async () => {
    start({ ...variant, nodes: 2 });
    const [signedIn, member, other] = [cluster.node(0).connect(), cluster.node(1).connect(), cluster.node(1).connect()];
    signedIn.node.hub.signIn(signedIn.connection, { id: 'u', watchlist: [] });
    await subscribe(member, 'presence-room', { userId: 'u' });
    await subscribe(other, 'presence-room', { userId: 'other' });
    await cluster.node(0).hub.terminateUser('app', 'u');
    expect([signedIn.socket.closed?.code, member.socket.closed?.code, other.socket.closed]).toEqual([
      4009,
      4009,
      undefined,
    ]);
    await receives(other, 'pusher_internal:member_removed');
  });

  it('refuses all events of a publish when one of them is wrong', async () => {
    start(variant);
    const client = cluster.node(0).connect();
    await subscribe(client, 'room');
    const { hub } = cluster.node(0);
    const status = await hub.publishMany('app', ['room', 'not a name'], 'bad', '1');
    expect(status).toBe(PublishStatus.invalid_channels_json);
    await publish(0, 'room', 'good');
    await receives(client, 'good');
    expect(client.socket.names).not.toContain('bad');
  });

  it('relays a client event to the others of the channel, in order', async () => {
    start({ ...variant, nodes: 2, app: {} });
    const [a, b] = [cluster.node(0).connect(), cluster.node(1).connect()];
    await subscribe(a, 'presence-room', { userId: 'a' });
    await subscribe(b, 'presence-room', { userId: 'b' });
    const sent = Array.from({ length: 30 }, (_, i) => i);
    for (const i of sent) {
      void a.node.hub.clientEvent(a.connection, { event: 'client-n', channel: 'presence-room', dataJson: String(i) });
    }
    await publish(0, 'presence-room', 'end');
    await Promise.all([receives(a, 'end'), receives(b, 'end')]);
    const numbers = b.socket.events.filter(({ event }) => event === 'client-n').map(({ data }) => data as number);
    // What the broker could not take is lost; what arrives is in order and without repetition.
    expect(numbers).toEqual(numbers.toSorted((x, y) => x - y));
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers.length).toBeGreaterThan(sent.length / 2);
    expect(a.socket.names).not.toContain('client-n');
  });
});
