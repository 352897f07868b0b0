import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, PusherError } from '@pogo/pusher-protocol';
import { PublishStatus } from './publish-status.js';
import { hangUp, subscribe, TestCluster, type TestClusterOptions } from './testing/hub-harness.js';
import { eventually } from './testing/test-api.js';

let cluster: TestCluster;
const start = (options: TestClusterOptions = {}) => (cluster = new TestCluster(options));
afterEach(() => cluster.close());

describe('HubService, the details', () => {
  it('answers the publish statuses', async () => {
    start({ app: { limits: { ...DEFAULT_LIMITS, maxEventBytes: 10 } }, options: { brokerQueueSize: 2 } });
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
    expect(client.socket.events.at(-1)?.data).toEqual({ code: 4003, message: 'Application disabled' });
    cluster.apps.replace([cluster.app]);
    const another = cluster.node(0).connect();
    cluster.apps.replace([]);
    expect(another.socket.closed?.code).toBe(4001);
    expect(another.socket.events.at(-1)?.data).toEqual({ code: 4001, message: 'Application does not exist' });
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
