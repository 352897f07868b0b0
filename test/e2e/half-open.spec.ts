import { signChannel } from '@pogo/pusher-protocol';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dataOf } from '../support/client.js';
import { APP, TestGateway } from '../support/gateway.js';
import { closeFrame, frame, Opcode, RawSocket } from '../support/raw-socket.js';
import { expectServed, untilConnections } from '../support/well-behaved.js';

const NOT_RECEIVED = { code: 4201, reason: 'Pong reply not received in time' };

describe('a client that falls silent', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await TestGateway.start({ settings: { ping_period: '100ms', pong_wait: '300ms' } });
  });
  afterEach(() => expectServed(gateway));
  afterAll(() => gateway.stop());

  it('is pinged, then closed with 4201 and no pusher:error before it', async () => {
    const raw = await RawSocket.open(gateway);
    expect(closing(await raw.received(Opcode.close))).toEqual(NOT_RECEIVED);
    expect(raw.messages()).toHaveLength(1);
    expect(raw.frames.filter(({ opcode }) => opcode === Opcode.ping).length).toBeGreaterThan(0);
    raw.destroy();
  });

  it('leaves its presence channel when it is closed, before its TCP connection is gone', async () => {
    const witness = await gateway.connect();
    await witness.subscribe('presence-room', { user_id: 'witness' });
    const silent = await gateway.connect({ autoPong: false });
    await silent.subscribe('presence-room', { user_id: 'silent' });
    silent.socket.pause();
    expect(dataOf(await witness.receive('pusher_internal:member_removed'))).toEqual({ user_id: 'silent' });
    silent.terminate();
    await witness.disconnect();
  });

  it('is cut off for good though it never answers the close', async () => {
    const raw = await RawSocket.open(gateway);
    await raw.received(Opcode.close);
    await raw.cutOff();
    await untilConnections(gateway, 0);
    expect(gateway.hub.connectionCount).toBe(0);
  });

  it('is cut off for good though it goes on sending after the close', async () => {
    const raw = await RawSocket.open(gateway);
    await raw.received(Opcode.close);
    const babble = setInterval(() => raw.send({ event: 'pusher:ping', data: {} }), 10);
    await raw.cutOff();
    clearInterval(babble);
    expect(raw.messages()).toHaveLength(1);
  });

  it('stays as long as a single byte comes now and then, be it of a frame that is never complete', async () => {
    const silent = await RawSocket.open(gateway);
    const alive = await RawSocket.open(gateway);
    alive.write(frame('', { claimed: 100_000 }).subarray(0, 14));
    alive.socket.on('data', () => alive.write('x'));
    for (let round = 0; round < 3; round++) await (await RawSocket.open(gateway)).received(Opcode.close);
    expect(silent.frames.at(-1)?.opcode).toBe(Opcode.close);
    expect(alive.frames.map(({ opcode }) => opcode)).not.toContain(Opcode.close);
    expect(alive.hasEnded).toBe(false);
    alive.destroy();
    silent.destroy();
  });

  it('stays when it only answers pings, or only sends its own', async () => {
    const answering = await RawSocket.open(gateway);
    answering.socket.on('data', () => answering.write(frame('', { opcode: Opcode.pong })));
    const asking = await RawSocket.open(gateway);
    asking.socket.on('data', () => asking.write(frame('?', { opcode: Opcode.ping })));
    for (let round = 0; round < 3; round++) await (await RawSocket.open(gateway)).received(Opcode.close);
    for (const raw of [answering, asking]) {
      raw.send({ event: 'pusher:ping', data: {} });
      await raw.message('pusher:pong');
      raw.destroy();
    }
  });
});

describe('a client that holds on to its TCP connection', () => {
  let gateway: TestGateway;
  const left: (() => void)[] = [];

  beforeAll(async () => {
    gateway = await TestGateway.start();
  });
  afterEach(async () => {
    for (const end of left.splice(0)) end();
    await expectServed(gateway);
    await untilConnections(gateway, 0);
  });
  afterAll(() => gateway.stop());

  it.each<[string, string, Buffer]>([
    ['it has closed the WebSocket', 'presence-closed', closeFrame(1000)],
    ['it has broken the protocol', 'presence-broken', frame('x', { reserved: 7 })],
    ['it has sent a message over the limit', 'presence-huge', frame('', { claimed: 10_000_000 })],
    ['it has sent a binary frame', 'presence-binary', frame('x', { opcode: Opcode.binary })],
  ])(
    'though %s is gone from its channels and cut off within seconds',
    async (_what, channel, bytes) => {
      const witness = await gateway.connect();
      await witness.subscribe(channel, { user_id: 'witness' });
      const leaver = await RawSocket.open(gateway);
      left.push(
        () => leaver.destroy(),
        () => witness.terminate(),
      );
      join(leaver, channel);
      await witness.receive('pusher_internal:member_added');
      leaver.write(bytes);
      expect(dataOf(await witness.receive('pusher_internal:member_removed'))).toEqual({ user_id: 'leaver' });
      await leaver.cutOff();
    },
    // Without the server's own bound it would be half a minute.
    25_000,
  );

  it('by ending only its own side is let go at once', async () => {
    const raw = await RawSocket.open(gateway);
    raw.socket.end();
    await raw.cutOff();
    await untilConnections(gateway, 0);
    expect(gateway.hub.connectionCount).toBe(0);
  });
});

function join(raw: RawSocket, channel: string): void {
  const { socket_id: socketId } = JSON.parse(String(raw.messages()[0]?.data)) as { socket_id: string };
  const member = '{"user_id":"leaver"}';
  const auth = signChannel(APP, socketId, channel, member);
  raw.send({ event: 'pusher:subscribe', data: { channel, auth, channel_data: member } });
}

function closing({ payload }: { readonly payload: Buffer }): { code: number; reason: string } {
  return { code: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) };
}
