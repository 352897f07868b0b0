import { afterEach, describe, expect, it } from 'vitest';
import { endOfTurn, FakeSocket, hangUp, subscribe, TestCluster, type FakeClient } from './testing/hub-harness.js';
import { PusherErrors } from '@pogo/pusher-protocol';
import { completeApp } from './app/app.js';
import { Connection, type ConnectionHost } from './connection.js';
import { HubCounters } from './hub-counters.js';
import { HubOptions } from './hub-options.js';
import { Pacer } from './pacer.js';
import { SlowSockets } from './slow-sockets.js';
import { eventually } from './testing/test-api.js';

let cluster: TestCluster;
let dropped: string[];
let handled: string[];
afterEach(() => cluster.close());

async function blockedClient(options: Partial<HubOptions>): Promise<FakeClient> {
  cluster = new TestCluster({ options });
  dropped = [];
  cluster.node(0).events.on('eventDropped', ({ reason }) => dropped.push(reason));
  handled = [];
  const client = cluster.node(0).connect((_connection, { event }) => void handled.push(event));
  await subscribe(client, 'room');
  client.socket.accepts = false;
  await publish('first');
  return client;
}

async function publish(event: string, data = '1'): Promise<void> {
  await cluster.node(0).hub.publish('app', 'room', event, data);
  await endOfTurn();
}

describe('a client that does not read', () => {
  it('gets everything in order when it reads again within its bound, in bursts of one write', async () => {
    const client = await blockedClient({ outboundQueueSize: 100, writeBurstSize: 5 });
    for (let i = 0; i < 12; i++) await publish(`e${i}`);
    // What was written when the socket reported itself blocked has left; the rest waits.
    expect(client.socket.names).toEqual(['pusher_internal:subscription_succeeded', 'first']);
    client.socket.accepts = true;
    const writes = client.socket.writes;
    client.connection.handleDrain();
    expect(client.socket.names.slice(2)).toEqual(Array.from({ length: 12 }, (_, i) => `e${i}`));
    expect(client.socket.writes - writes).toBe(3);
    await publish('after');
    expect(client.socket.names.at(-1)).toBe('after');
    expect(dropped).toEqual([]);
  });

  it('stays blocked while the kernel takes only part of it', async () => {
    const client = await blockedClient({ writeBurstSize: 2 });
    for (let i = 0; i < 6; i++) await publish(`e${i}`);
    client.connection.handleDrain();
    expect(client.socket.names.slice(2)).toEqual(['e0']);
    client.connection.handleDrain();
    expect(client.socket.names.slice(2)).toEqual(['e0', 'e1']);
  });

  it.each([
    ['events', { outboundQueueSize: 3 }, '1'],
    ['bytes', { outboundQueueBytes: 3 * 160 }, 'x'.repeat(100)],
  ])('is disconnected with 4100 over its bound of %s', async (_name, options, data) => {
    const client = await blockedClient(options);
    for (let i = 0; i < 3; i++) await publish(`e${i}`, data);
    expect(client.socket.closed).toBeUndefined();
    await publish('one too many', data);
    expect(client.socket.closed?.code).toBe(4100);
    expect(dropped).toEqual(['outbox_full']);
    expect(cluster.node(0).hub.connectionCount).toBe(0);
  });

  it('keeps its socket and loses the newest events when the policy is drop', async () => {
    const client = await blockedClient({ outboundQueueSize: 2, slowConsumer: 'drop' });
    for (let i = 0; i < 5; i++) await publish(`e${i}`);
    expect(dropped).toEqual(['outbox_full', 'outbox_full', 'outbox_full']);
    client.socket.accepts = true;
    client.connection.handleDrain();
    expect(client.socket.names.slice(2)).toEqual(['e0', 'e1']);
    expect(client.socket.closed).toBeUndefined();
  });

  it('is disconnected when it does not read its answers, whatever the policy', async () => {
    const client = await blockedClient({ outboundQueueSize: 2, slowConsumer: 'drop' });
    for (let i = 0; i < 3; i++) client.connection.sendText('{"event":"pusher:pong"}');
    expect(client.socket.closed?.code).toBe(4100);
  });

  it('is closed after write_wait', async () => {
    const client = await blockedClient({ writeWaitMs: 50, pingPeriodMs: 100, pongWaitMs: 60_000 });
    await eventually(() => client.socket.closed !== undefined);
    expect(client.socket.closed?.code).toBe(4100);
  });

  it('has its messages wait until it takes the answers to the earlier ones', async () => {
    const client = await blockedClient({});
    const before = client.socket.names.length;
    client.connection.receive({ event: 'invalid' }, 10);
    client.connection.receive({ event: 'invalid' }, 10);
    expect(handled).toEqual([]);
    client.socket.accepts = true;
    client.connection.handleDrain();
    expect(handled).toEqual(['invalid', 'invalid']);
    expect(client.socket.names).toHaveLength(before);
  });

  it('costs others nothing: they get every event', async () => {
    const client = await blockedClient({ outboundQueueSize: 1 });
    const other = cluster.node(0).connect();
    await subscribe(other, 'room');
    for (let i = 0; i < 5; i++) await publish(`e${i}`);
    expect(client.socket.closed?.code).toBe(4100);
    expect(other.socket.names.slice(1)).toEqual(['e0', 'e1', 'e2', 'e3', 'e4']);
  });
});

describe('what waits for a client that does not read', () => {
  const counters = () => cluster.node(0).hub.counters();

  it('is counted, and not counted any more when the client is gone', async () => {
    const client = await blockedClient({});
    await publish('waits', 'x'.repeat(100));
    const { outboxBytes } = counters();
    expect(outboxBytes).toBeGreaterThan(100);
    await publish('waits', 'x'.repeat(100));
    expect([counters().outboxBytes, counters().outboxPeakBytes]).toEqual([2 * outboxBytes, 2 * outboxBytes]);
    hangUp(client);
    expect([counters().outboxBytes, counters().outboxPeakBytes]).toEqual([0, 2 * outboxBytes]);
  });

  it('is not counted any more when the client has read it', async () => {
    const client = await blockedClient({});
    for (let i = 0; i < 100; i++) await publish(`e${i}`);
    expect(counters().outboxBytes).toBeGreaterThan(0);
    client.socket.accepts = true;
    client.connection.handleDrain();
    expect(counters().outboxBytes).toBe(0);
    expect(counters().deliveries).toBe(101);
  });

  it('is kept event by event: as many of a batch as there is room for', async () => {
    const client = await blockedClient({ outboundQueueSize: 5, writeBurstSize: 2, slowConsumer: 'drop' });
    const { hub } = cluster.node(0);
    await Promise.all(Array.from({ length: 8 }, (_, i) => hub.publish('app', 'room', `e${i}`, '1')));
    await endOfTurn();
    expect([dropped, counters().outboxDrops]).toEqual([['outbox_full'], 3]);
    client.socket.accepts = true;
    const writes = client.socket.writes;
    client.connection.handleDrain();
    expect(client.socket.names.slice(2)).toEqual(['e0', 'e1', 'e2', 'e3', 'e4']);
    expect(client.socket.writes - writes).toBe(3);
  });

  it('counts a connection that is closed for it once, when what is left to tell it overflows as well', async () => {
    const client = await blockedClient({ outboundQueueSize: 1 });
    client.socket.accepts = true;
    client.connection.handleDrain();
    await subscribe(client, 'other');
    const { hub } = cluster.node(0);
    for (let i = 0; i < 3; i++) await hub.publish('app', i === 0 ? 'room' : 'other', 'e', 'x'.repeat(60_000));
    // The first of what is pending blocks the socket, the rest is more than its outbox holds.
    client.socket.accepts = false;
    const closes: number[] = [];
    client.socket.close = (code) => {
      client.socket.isOpen = false;
      closes.push(code);
    };
    client.connection.close(PusherErrors.terminatedByApp);
    expect(closes).toHaveLength(1);
    hub.disconnect(client.connection);
  });

  it('reports how long it waited when somebody measures', async () => {
    const client = await blockedClient({ hotPathMetrics: true });
    const written: { frames: number; waitedMs: number }[] = [];
    const batches: { events: number; subscribers: number; waitedMs: number }[] = [];
    cluster.node(0).events.on('outboxWritten', (event) => written.push(event));
    cluster.node(0).events.on('batchWritten', (event) => batches.push(event));
    await publish('waits');
    await publish('waits');
    client.socket.accepts = true;
    client.connection.handleDrain();
    expect(written).toEqual([expect.objectContaining({ frames: 2, waitedMs: expect.any(Number) as number })]);
    expect(batches).toHaveLength(2);
    expect(batches[0]).toMatchObject({ events: 1, subscribers: 1, waitedMs: expect.any(Number) as number });
  });

  it('is stamped and reported by nobody otherwise', async () => {
    const client = await blockedClient({});
    const reported: unknown[] = [];
    for (const name of ['outboxWritten', 'batchWritten'] as const) {
      cluster.node(0).events.on(name, (event) => reported.push(event));
    }
    await publish('waits');
    client.socket.accepts = true;
    client.connection.handleDrain();
    expect(reported).toEqual([]);
  });
});

describe('SlowSockets', () => {
  it('closes a socket that has taken nothing for write_wait, and not one that takes little', () => {
    let now = 0;
    const slow = new SlowSockets(100);
    const host: ConnectionHost = {
      options: new HubOptions({ writeBurstSize: 1 }),
      inboxSettings: { maxMessages: 1, maxBytes: 1, pacer: new Pacer() },
      now: () => now,
      connectionClosing: (connection) => slow.removeBlocked(connection),
      connectionBlocked: (connection) => slow.addBlocked(connection),
      connectionDrained: (connection) => slow.removeBlocked(connection),
      outboxFull: () => undefined,
      outboxWritten: () => undefined,
      counters: new HubCounters(),
    };
    const socket = new FakeSocket();
    const app = completeApp({ id: '1', key: 'k', secret: 's' });
    const connection = new Connection('1.2', app, socket, () => undefined, host);
    socket.accepts = false;
    for (let i = 0; i < 10; i++) connection.sendText('{}');
    for (now = 60; now < 500; now += 60) {
      slow.sweep(now);
      connection.handleDrain();
    }
    expect(socket.closed).toBeUndefined();
    slow.sweep((now += 100));
    expect(socket.closed?.code).toBe(4100);
  });
});
