import { afterEach, describe, expect, it } from 'vitest';
import { PusherError } from '@pogo/pusher-protocol';
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
      a.node.hub.clientEvent(a.connection, { event: 'client-n', channel: 'presence-room', dataJson: String(i) });
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

describe('HubService', () => {
  it('answers the publish statuses', async () => {
    start({ app: { limits: { ...completeLimits(), maxEventBytes: 10 } }, options: { brokerQueueSize: 2 } });
    const { hub } = cluster.node(0);
    const publish = (channels: string[], event = 'e', data = '1', options = {}) =>
      hub.publishMany('app', channels, event, data, options);
    expect(await publish(['room'])).toBe(PublishStatus.ok);
    expect(await hub.publish('nobody', 'room', 'e', '1')).toBe(PublishStatus.hub_missing);
    expect(await publish(['a'.repeat(201)])).toBe(PublishStatus.channel_too_long);
    expect(await publish(['room'], 'e'.repeat(201))).toBe(PublishStatus.event_too_long);
    expect(await publish(['room'], 'e', 'ü'.repeat(6))).toBe(PublishStatus.payload_too_large);
    expect(await publish(['room'], 'e', '{', { assertJson: true })).toBe(PublishStatus.invalid_payload_json);
    expect(await publish([])).toBe(PublishStatus.invalid_channels_json);
    const both = await Promise.all([publish(['a', 'b']), publish(['c'])]);
    expect(both).toEqual([PublishStatus.ok, PublishStatus.broker_queue_full]);
    expect(await publish(['c'])).toBe(PublishStatus.ok);
  });

  it('answers broker_failed while the broker is away', async () => {
    start({ seed: 1 });
    cluster.node(0).chaos.isDown = true;
    expect(await cluster.node(0).hub.publish('app', 'room', 'e', '1')).toBe(PublishStatus.broker_failed);
    expect(await cluster.node(0).hub.publish('app', 'cache-room', 'e', '1')).toBe(PublishStatus.broker_failed);
  });

  it('holds a subscription while the directory is away and acknowledges it when it is back', async () => {
    start({ seed: 1 });
    cluster.node(0).chaos.isDown = true;
    const client = cluster.node(0).connect();
    const subscribed = subscribe(client, 'room');
    expect(await cluster.node(0).hub.publish('app', 'room', 'e', '1')).toBe(PublishStatus.broker_failed);
    expect(client.socket.names).toEqual([]);
    cluster.node(0).chaos.isDown = false;
    await subscribed;
    expect(client.socket.names).toEqual(['pusher_internal:subscription_succeeded']);
  });

  it('closes with 4200 when a subscription cannot be answered in time, and leaves nothing behind', async () => {
    start({ seed: 1, options: { joinDeadlineMs: 30, pingPeriodMs: 100, pongWaitMs: 1_000 } });
    cluster.node(0).chaos.isDown = true;
    const client = cluster.node(0).connect();
    const subscribed = subscribe(client, 'room');
    await eventually(() => client.socket.closed !== undefined);
    expect(client.socket.closed?.code).toBe(4200);
    cluster.node(0).chaos.isDown = false;
    await subscribed;
    await eventually(async () => (await cluster.directory.findChannel('app', 'room', {})).subscriptionCount === 0);
    expect(cluster.node(0).hub.connectionCount).toBe(0);
  });

  it('emits each transition as a hub event on the node that caused it', async () => {
    start({ nodes: 2 });
    const seen: string[] = [];
    cluster.nodes.forEach(({ events }, n) => {
      events.on('channelOccupied', ({ channel }) => seen.push(`${n} occupied ${channel}`));
      events.on('memberAdded', ({ member }) => seen.push(`${n} added ${member.userId}`));
      events.on('memberRemoved', ({ member }) => seen.push(`${n} removed ${member.userId}`));
      events.on('channelVacated', ({ channel }) => seen.push(`${n} vacated ${channel}`));
    });
    const [a, b] = [cluster.node(0).connect(), cluster.node(1).connect()];
    await subscribe(a, 'presence-x', { userId: 'u' });
    await subscribe(b, 'presence-x', { userId: 'u' });
    hangUp(a);
    hangUp(b);
    await eventually(() => seen.length === 4);
    expect(seen).toEqual(['0 occupied presence-x', '0 added u', '1 removed u', '1 vacated presence-x']);
  });

  it('lets a listener throw without disturbing anybody', async () => {
    start();
    cluster.node(0).events.on('subscribed', () => {
      throw new Error('listener fault');
    });
    const client = cluster.node(0).connect();
    await subscribe(client, 'room');
    expect(client.socket.names).toEqual(['pusher_internal:subscription_succeeded']);
  });

  it('refuses another user on the same connection and the same channel', async () => {
    start();
    const client = cluster.node(0).connect();
    client.node.hub.signIn(client.connection, { id: 'a', watchlist: [] });
    client.node.hub.signIn(client.connection, { id: 'a', watchlist: [] });
    expect(() => client.node.hub.signIn(client.connection, { id: 'b', watchlist: [] })).toThrow(PusherError);
    await subscribe(client, 'presence-x', { userId: 'a' });
    await subscribe(client, 'presence-x', { userId: 'a' });
    await expect(subscribe(client, 'presence-x', { userId: 'b' })).rejects.toThrow(
      'Already subscribed as another user',
    );
    expect((await cluster.directory.findChannel('app', 'presence-x', {})).subscriptionCount).toBe(1);
  });

  it('closes the connections of an app that is removed or disabled, and keeps those of one that changed', async () => {
    start();
    const client = cluster.node(0).connect();
    cluster.apps.replace([{ ...cluster.app, clientEvents: false }]);
    await eventually(() => !client.connection.app.clientEvents);
    expect(client.socket.closed).toBeUndefined();
    cluster.apps.replace([{ ...cluster.app, enabled: false }]);
    expect(client.socket.closed?.code).toBe(4003);
    cluster.apps.replace([cluster.app]);
    const another = cluster.node(0).connect();
    cluster.apps.replace([]);
    expect(another.socket.closed?.code).toBe(4001);
  });

  it('counts connections of an app over all nodes', async () => {
    start({ nodes: 2 });
    const client = cluster.node(0).connect();
    cluster.node(1).connect();
    expect(await cluster.node(1).hub.countConnections('app')).toBe(2);
    hangUp(client);
    expect(await cluster.node(1).hub.countConnections('app')).toBe(1);
  });

  it('drains: every client gets 4200, and the directory forgets them', async () => {
    start();
    const clients = Array.from({ length: 5 }, () => cluster.node(0).connect());
    await Promise.all(clients.map((client) => subscribe(client, 'room')));
    const drained = cluster.node(0).hub.drain(100);
    await eventually(() => clients.every(({ socket }) => socket.closed !== undefined));
    expect(clients.map(({ socket }) => socket.closed?.code)).toEqual([4200, 4200, 4200, 4200, 4200]);
    await drained;
    expect(cluster.node(0).hub.isDraining).toBe(true);
    expect((await cluster.directory.findChannel('app', 'room', {})).subscriptionCount).toBe(0);
  });
});

function completeLimits() {
  return new TestCluster().app.limits;
}
