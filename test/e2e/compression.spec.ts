import { deflateRawSync } from 'node:zlib';
import PusherModule from 'pusher-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { frame, Opcode, RawSocket } from '../support/raw-socket.js';
import { Heard, join, RealClients, settle, type Page } from '../support/pusher-clients.js';

/*
 * permessage-deflate as browsers speak it. Node's pusher-js comes with a WebSocket that does not, so it is given the one
 * of `ws`, which inflates with a window per connection like a browser.
 */

const runtime = (PusherModule as unknown as typeof PusherModule.default).Runtime;
const withoutCompression = runtime.getWebSocketAPI.bind(runtime);

const OFFER = 'permessage-deflate; client_max_window_bits';
/** Alike enough that a deflater with a memory would refer from one to the other. */
const text = (n: number) => `${n} ${'The quick brown fox jumps over the lazy dog. '.repeat(40)}${n}`;

let clients: RealClients;
beforeEach(() => {
  runtime.getWebSocketAPI = () =>
    WebSocket as unknown as new (url: string) => ReturnType<typeof runtime.createWebSocket>;
});
afterEach(async () => {
  runtime.getWebSocketAPI = withoutCompression;
  await clients.stop();
});

const start = async (settings: Record<string, string> = {}) =>
  (clients = await RealClients.start({ settings: { enable_compression: 'true', ...settings } }));

const publish = (channels: string | string[], event: string, data: unknown, socketId?: string) =>
  clients.server.trigger(channels, event, data, socketId === undefined ? {} : { socket_id: socketId });

const extensionsOf = ({ head }: RawSocket) => /^sec-websocket-extensions: (.*)$/im.exec(head)?.[1];

async function listener(page: Page, channel: string): Promise<Heard> {
  const heard = new Heard();
  (await join(page, channel)).bind('e', heard.note);
  return heard;
}

describe('compression with pusher-js', () => {
  it('brings every client its events as they were published, whenever it came and whatever it missed', async () => {
    await start();
    const pages = [await clients.connect(), await clients.connect()] as [Page, Page];
    const [first, second] = [await listener(pages[0], 'room'), await listener(pages[1], 'room')];
    for (let n = 0; n < 10; n++)
      await publish('room', 'e', text(n), n % 2 === 0 ? pages[0].connection.socket_id : undefined);
    const late = await clients.connect();
    const third = await listener(late, 'room');
    for (let n = 10; n < 20; n++) await publish('room', 'e', text(n));
    const all = Array.from({ length: 20 }, (_, n) => text(n));
    expect(await first.reaches(15)).toEqual(all.filter((_, n) => n % 2 === 1 || n >= 10));
    expect(await second.reaches(20)).toEqual(all);
    expect(await third.reaches(10)).toEqual(all.slice(10));
    expect(clients.gateway.hub.connectionCount).toBe(3);
  });

  it('keeps the order of a large acknowledgement and the small and large events behind it', async () => {
    await start();
    const info = { note: text(0) };
    const page = await clients.connect({ member: { user_id: 'ada', user_info: info } });
    const other = await clients.connect();
    await join(other, 'private-cache-board');
    await publish('private-cache-board', 'e', text(1));
    const order: string[] = [];
    page.connection.bind('message', ({ event }: { event: string }) => order.push(event));
    const joined = Promise.all([join(page, 'presence-room'), join(page, 'private-cache-board')]);
    for (let n = 0; n < 20; n++)
      await publish(['presence-room', 'private-cache-board'], 'e', n % 2 === 0 ? text(n) : n);
    await joined;
    await publish(['presence-room', 'private-cache-board'], 'end', 1);
    await settle(page);
    expect(order.indexOf('pusher_internal:subscription_succeeded')).toBe(0);
    expect(order.slice(-3)).toEqual(['end', 'end', 'pusher:pong']);
    const { members } = page.channel('presence-room') as unknown as { members: { me: { info: unknown } } };
    expect(members.me.info).toEqual(info);
  });

  it('relays client events that came deflated', async () => {
    await start();
    const [sender, receiver] = [await clients.connect(), await clients.connect()];
    await join(receiver, 'private-room');
    const heard = new Heard();
    receiver.channel('private-room').bind('client-e', heard.note);
    const channel = await join(sender, 'private-room');
    for (let n = 0; n < 3; n++) channel.trigger('client-e', { text: text(n) });
    expect(await heard.reaches(3)).toEqual([0, 1, 2].map((n) => ({ text: text(n) })));
  });
});

describe('compression on the wire', () => {
  async function open(offer: string): Promise<RawSocket> {
    return RawSocket.open(clients.gateway, { 'Sec-WebSocket-Extensions': offer });
  }

  it('is off unless it is configured', async () => {
    await start({ enable_compression: 'false' });
    expect(extensionsOf(await open(OFFER))).toBeUndefined();
  });

  it('remembers nothing between two messages, on either side', async () => {
    await start();
    const raw = await open(OFFER);
    const extensions = extensionsOf(raw)?.split('; ');
    expect(extensions).toContain('server_no_context_takeover');
    expect(extensions).toContain('client_no_context_takeover');
  });

  it.each([
    ['permessage-deflate; server_max_window_bits=9', undefined],
    ['permessage-deflate; server_max_window_bits=14; client_max_window_bits', undefined],
    ['permessage-deflate; server_max_window_bits=15', 'permessage-deflate'],
    ['permessage-deflate; server_max_window_bits=10, permessage-deflate', 'permessage-deflate'],
  ])('takes the offer %s: %s', async (offer, accepted) => {
    await start();
    const raw = await open(offer);
    expect(extensionsOf(raw)?.split('; ')[0]).toBe(accepted);
    raw.send({ event: 'pusher:subscribe', data: { channel: 'room' } });
    await raw.message('pusher_internal:subscription_succeeded');
    await publish('room', 'e', text(1));
    // A small window could not be inflated: references reach back over the whole message.
    const { isDeflated } = await raw.until(({ frames }) =>
      frames.find(({ payload }) => payload.length > 50 && isEvent(payload)),
    );
    expect(isDeflated).toBe(accepted !== undefined);
  });

  it('sends the same deflated bytes to all who take them, and plain ones to the others', async () => {
    await start();
    const [a, b, plain] = [await open(OFFER), await open(OFFER), await RawSocket.open(clients.gateway)];
    for (const raw of [a, b, plain]) {
      raw.send({ event: 'pusher:subscribe', data: { channel: 'room' } });
      await raw.message('pusher_internal:subscription_succeeded');
    }
    await publish('room', 'e', text(1));
    const [fromA, fromB] = await Promise.all(
      [a, b].map((raw) => raw.until(({ frames }) => frames.find(({ isDeflated }) => isDeflated))),
    );
    expect(fromA?.payload).toEqual(fromB?.payload);
    expect(fromA?.payload.length).toBeLessThan(300);
    expect((await plain.message('e')).data).toBe(text(1));
  });

  it('ends a connection whose message inflates to more than a message may be', async () => {
    await start({ max_event_bytes: '10000' });
    const raw = await open(OFFER);
    const bomb = deflateRawSync(Buffer.alloc(5_000_000, ' '), { finishFlush: 2 }).subarray(0, -4);
    expect(bomb.length).toBeLessThan(10_000);
    raw.write(frame(bomb, { opcode: Opcode.text, reserved: 4 }));
    expect(await raw.closeCode()).toBe(1009);
  });
});

/** A deflated event is recognized by what it is not: JSON. */
function isEvent(payload: Buffer): boolean {
  const plain = payload.toString();
  return !plain.startsWith('{') || plain.includes('"event":"e"');
}
