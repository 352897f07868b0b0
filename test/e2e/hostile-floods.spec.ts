import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../support/gateway.js';
import { frame, Opcode, RawSocket } from '../support/raw-socket.js';
import { expectServed, untilConnections } from '../support/well-behaved.js';

const PING = frame('{"event":"pusher:ping","data":{}}');

describe('a client that asks for too much', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await TestGateway.start({ settings: { client_msg_rate_limit: '-1' } });
  });
  afterEach(async () => {
    await expectServed(gateway);
    await untilConnections(gateway, 0);
  });
  afterAll(() => gateway.stop());

  it('gets a thousand of ten thousand channels, LimitReached for the others, and can change its mind', async () => {
    const client = await gateway.connect();
    const channels = Array.from({ length: 10_000 }, (_, i) => `channel-${i}`);
    for (const channel of channels) client.send(client.subscription(channel));
    const last = await client.receive(({ channel }) => channel === 'channel-9999');
    expect(last).toEqual({
      event: 'pusher:subscription_error',
      channel: 'channel-9999',
      data: { type: 'LimitReached', error: 'A connection may subscribe to at most 1000 channels', status: 403 },
    });
    const answered = (event: string) => client.received.filter((m) => m.event === event).map(({ channel }) => channel);
    expect(answered('pusher_internal:subscription_succeeded')).toEqual(channels.slice(0, 1_000));
    expect(answered('pusher:subscription_error')).toEqual(channels.slice(1_000));
    expect(client.received).toHaveLength(1 + 1_000 + 2 * 9_000);
    client.unsubscribe('channel-0');
    await client.subscribe('channel-1000');
    expect((await gateway.http.publish('channel-1000', 'event', 'text')).status).toBe(200);
    await client.receive('event');
    await client.disconnect();
    await untilConnections(gateway, 0);
    expect((await gateway.http.get('/channels')).body).toEqual({ channels: {} });
  });

  it('by ten thousand changes of mind in one burst ends where it should', async () => {
    const client = await gateway.connect();
    for (let n = 0; n < 5_000; n++) {
      client.send(client.subscription('room'));
      client.unsubscribe('room');
    }
    await client.subscribe('last');
    expect(client.count('pusher_internal:subscription_succeeded')).toBe(5_001);
    expect((await gateway.http.get('/channels')).body).toEqual({ channels: { last: {} } });
    await client.disconnect();
  });

  it('by a hundred thousand pings gets a hundred thousand answers, and others are served meanwhile', async () => {
    const raw = await RawSocket.open(gateway);
    const pongs = countPongs(raw);
    raw.write(Buffer.concat(Array.from({ length: 100_000 }, () => PING)));
    await expectServed(gateway);
    while (pongs() < 100_000) await once(raw.socket, 'data');
    expect(pongs()).toBe(100_000);
    raw.destroy();
  });

  it('by WebSocket pings whose answers it does not read stays, and is answered when it reads again', async () => {
    const raw = await RawSocket.open(gateway);
    raw.socket.pause();
    const ping = frame('x'.repeat(125), { opcode: Opcode.ping });
    const flood = Buffer.concat(Array.from({ length: 10_000 }, () => ping));
    for (let n = 0; n < 20; n++) await new Promise<void>((resolve) => raw.socket.write(flood, () => resolve()));
    await expectServed(gateway);
    raw.socket.resume();
    raw.write(PING);
    await raw.message('pusher:pong');
    expect((await raw.received(Opcode.pong)).payload).toHaveLength(125);
    raw.destroy();
  });

  it('and never reads the answers is closed and cut off, and nobody else waits for it', async () => {
    const raw = await RawSocket.open(gateway);
    raw.socket.pause();
    // Each is answered twice with its name in it.
    const wrong = frame(JSON.stringify({ event: 'pusher:subscribe', data: { channel: 'é'.repeat(100_000) } }));
    const write = () =>
      raw.socket.write(wrong, () => raw.socket.writable && gateway.hub.connectionCount > 0 && write());
    write();
    await untilConnections(gateway, 0);
    await expectServed(gateway);
    raw.socket.resume();
    await raw.cutOff();
    expect(raw.frames.length).toBeGreaterThan(1);
  });

  it('faster than its message rate has to wait with its subscriptions, and is not closed for it', async () => {
    const strict = await TestGateway.start({ settings: { client_msg_rate_limit: '2000' } });
    try {
      const client = await strict.connect();
      for (let n = 0; n < 900; n++) client.send(client.subscription(`channel-${n}`));
      await client.receive(({ channel }) => channel === 'channel-899');
      expect(client.count('pusher_internal:subscription_succeeded')).toBe(900);
    } finally {
      await strict.stop();
    }
  });
});

/** Counts pongs as they come, without keeping them: to look through all frames again and again would take minutes. */
function countPongs(raw: RawSocket): () => number {
  const before = raw.frames.length;
  return () => raw.frames.length - before;
}
