import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../support/gateway.js';
import { closeFrame, frame, Opcode, RawSocket } from '../support/raw-socket.js';
import { expectServed, untilConnections } from '../support/well-behaved.js';

const LIMIT = 262_144 + 65_536;
const PING = '{"event":"pusher:ping","data":{}}';
const SUBSCRIBE = '{"event":"pusher:subscribe","data":{"channel":"room"}}';
const NO_UTF8 = Buffer.from([0x22, 0xc3, 0x28, 0x22]);

const { continuation, text, binary, close, ping, pong } = Opcode;

describe('a client that breaks RFC 6455', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await TestGateway.start({ settings: { client_msg_rate_limit: '-1' } });
  });
  afterEach(async () => {
    await expectServed(gateway);
    await untilConnections(gateway, 0);
  });
  afterAll(() => gateway.stop());

  it.each<[string, number, Buffer]>([
    ['a frame without a mask', 1002, frame(PING, { masked: false })],
    ['the first reserved bit', 1002, frame(PING, { reserved: 4 })],
    ['the second reserved bit', 1002, frame(PING, { reserved: 2 })],
    ['the third reserved bit', 1002, frame(PING, { reserved: 1 })],
    ['all reserved bits on a ping', 1002, frame('', { opcode: ping, reserved: 7 })],
    ['a reserved opcode for data', 1002, frame(PING, { opcode: 3 })],
    ['a reserved opcode for control', 1002, frame('', { opcode: 0xb })],
    ['a ping in fragments', 1002, frame('', { opcode: ping, fin: false })],
    ['a pong in fragments', 1002, frame('', { opcode: pong, fin: false })],
    ['a close in fragments', 1002, frame('', { opcode: close, fin: false })],
    ['a ping of 126 bytes', 1002, frame('x'.repeat(126), { opcode: ping })],
    ['a continuation of nothing', 1002, frame(PING, { opcode: continuation })],
    ['a message within a message', 1002, Buffer.concat([frame(PING, { fin: false }), frame(PING)])],
    ['a close of one byte', 1002, frame('x', { opcode: close })],
    ['a close with code 999', 1002, closeFrame(999)],
    ['a close with code 1005', 1002, closeFrame(1005)],
    ['a close with code 5000', 1002, closeFrame(5000)],
    ['a close whose reason is no UTF-8', 1007, closeFrame(1000, NO_UTF8)],
    ['a text that is no UTF-8', 1007, frame(NO_UTF8)],
    ['a text cut within a character', 1007, frame(Buffer.from('"é').subarray(0, 2))],
    ['a text with a surrogate in UTF-8', 1007, frame(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))],
    [
      'a text that is no UTF-8 only as a whole',
      1007,
      Buffer.concat([
        frame(NO_UTF8.subarray(0, 2), { fin: false }),
        frame(NO_UTF8.subarray(2), { opcode: continuation }),
      ]),
    ],
    ['a text over the limit', 1009, frame('x'.repeat(LIMIT + 1))],
    ['the announcement of a text over the limit', 1009, frame('x', { claimed: LIMIT + 1 })],
    ['the announcement of four gigabytes', 1009, frame('', { claimed: 2 ** 32 })],
    ['the announcement of more than can be counted', 1009, frame('', { claimed: 2n ** 63n })],
    [
      'fragments that together are over the limit',
      1009,
      Buffer.concat([frame('x'.repeat(LIMIT), { fin: false }), frame('x', { opcode: continuation })]),
    ],
    [
      'more empty fragments than anybody needs',
      1008,
      Buffer.concat([
        frame('', { fin: false }),
        ...Array.from({ length: 20_000 }, () => frame('', { opcode: continuation, fin: false })),
      ]),
    ],
  ])('by %s is closed with %i', async (_what, code, bytes) => {
    const raw = await RawSocket.open(gateway);
    raw.write(bytes);
    expect(await raw.closeCode()).toBe(code);
    raw.socket.end();
    await raw.ended();
    expect(raw.frames.map(({ opcode }) => opcode)).toEqual([text, close]);
  });

  it.each<[string, Buffer]>([
    ['a binary frame', frame(PING, { opcode: binary })],
    ['an empty binary frame', frame('', { opcode: binary })],
    [
      'a binary message in fragments',
      Buffer.concat([frame('a', { opcode: binary, fin: false }), frame('b', { opcode: continuation })]),
    ],
    ['many binary frames at once', Buffer.concat(Array.from({ length: 100 }, () => frame('a', { opcode: binary })))],
  ])('or only Pusher’s rules, by %s, is told so once and closed with 4003', async (_what, bytes) => {
    const raw = await RawSocket.open(gateway);
    raw.write(bytes);
    expect(await raw.closeCode()).toBe(4003);
    expect(raw.messages().slice(1)).toEqual([
      { event: 'pusher:error', data: { code: 4003, message: 'Binary frames not supported' } },
    ]);
    raw.destroy();
  });

  it.each<[string, (raw: RawSocket) => void]>([
    ['ends', (raw) => raw.socket.end()],
    ['vanishes', (raw) => raw.destroy()],
    ['resets', (raw) => raw.socket.resetAndDestroy()],
  ])('by a frame that is cut anywhere when it %s is forgotten', async (_how, leave) => {
    const bytes = frame(PING.padEnd(200));
    for (const length of [1, 2, 3, 4, 5, 7, 8, 9, bytes.length - 1]) {
      const raw = await RawSocket.open(gateway);
      await new Promise<void>((resolve) => raw.socket.write(bytes.subarray(0, length), () => resolve()));
      leave(raw);
      await untilConnections(gateway, 0);
      raw.destroy();
    }
    expect(gateway.hub.connectionCount).toBe(0);
  });

  it('is not listened to after that: what follows the bad frame is dropped', async () => {
    const witness = await gateway.connect();
    await witness.subscribe('presence-room', { user_id: 'witness' });
    const raw = await RawSocket.open(gateway);
    raw.write(Buffer.concat([frame('x', { reserved: 7 }), frame(SUBSCRIBE), frame(PING), frame('', { opcode: ping })]));
    expect(await raw.closeCode()).toBe(1002);
    raw.socket.end();
    await raw.ended();
    expect(raw.messages()).toHaveLength(1);
    expect((await gateway.hub.findChannel('1', 'room')).subscriptionCount).toBe(0);
    await witness.disconnect();
  });
});

describe('a client that uses all of RFC 6455', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await TestGateway.start({ settings: { client_msg_rate_limit: '-1' } });
  });
  afterAll(() => gateway.stop());

  it('may send a message in fragments, with a ping between them', async () => {
    const raw = await RawSocket.open(gateway);
    raw.write(frame(SUBSCRIBE.slice(0, 10), { fin: false }));
    raw.write(frame('between', { opcode: ping }));
    raw.write(frame('', { opcode: continuation, fin: false }));
    raw.write(frame(SUBSCRIBE.slice(10), { opcode: continuation }));
    await raw.message('pusher_internal:subscription_succeeded');
    expect((await raw.received(pong)).payload.toString()).toBe('between');
    raw.destroy();
  });

  it('may cut a character in two fragments', async () => {
    const bytes = Buffer.from('{"event":"client-é","channel":"private-a","data":"é"}');
    const raw = await RawSocket.open(gateway);
    const middle = bytes.indexOf(0xc3) + 1;
    raw.write(frame(bytes.subarray(0, middle), { fin: false }));
    raw.write(frame(bytes.subarray(middle), { opcode: continuation }));
    expect((await raw.message('pusher:error')).data).toMatchObject({ code: 4301 });
    raw.destroy();
  });

  it('may send its messages byte by byte, or all of them in one segment', async () => {
    const raw = await RawSocket.open(gateway);
    for (const byte of frame(SUBSCRIBE)) raw.write(Buffer.from([byte]));
    await raw.message('pusher_internal:subscription_succeeded');
    raw.write(Buffer.concat(Array.from({ length: 1_000 }, () => frame(PING))));
    await raw.until(() => (raw.messages().length === 1_002 ? true : undefined));
    raw.destroy();
  });

  it('may send a message of exactly the limit', async () => {
    const raw = await RawSocket.open(gateway);
    raw.write(frame(PING.padEnd(LIMIT)));
    await raw.message('pusher:pong');
    raw.destroy();
  });

  it('may send an empty message, and is told that it is none', async () => {
    const raw = await RawSocket.open(gateway);
    raw.write(frame(''));
    expect((await raw.message('pusher:error')).data).toEqual({ code: 4200, message: 'Invalid message format' });
    raw.send(PING);
    await raw.message('pusher:pong');
    raw.destroy();
  });

  it('gets its close code back, and the end of the stream', async () => {
    for (const code of [1000, 1001, 3000, 4999]) {
      const raw = await RawSocket.open(gateway);
      raw.write(closeFrame(code, 'bye'));
      expect(await raw.closeCode()).toBe(code);
      await raw.ended();
      raw.destroy();
    }
  });
});
