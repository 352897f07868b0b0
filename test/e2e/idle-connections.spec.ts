import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TestGateway } from '../support/gateway.js';
import { closeFrame, frame, Opcode, RawSocket, upgradeRequest } from '../support/raw-socket.js';
import { untilConnections } from '../support/well-behaved.js';

setFlagsFromString('--expose_gc');
const gc = runInNewContext('gc') as () => void;

/** Collects what was let go of, over a few turns. */
async function collect(): Promise<void> {
  for (let n = 0; n < 5; n++) {
    await sleep(5);
    gc();
  }
}

/** Does `act` with many connections at once. */
async function withConnections(gateway: TestGateway, count: number, act: (raw: RawSocket) => Promise<void>) {
  const raws = await Promise.all(Array.from({ length: count }, () => RawSocket.open(gateway)));
  await Promise.all(raws.map(act));
  return raws;
}

describe('a connection', () => {
  let gateway: TestGateway;
  const opened: WeakRef<object>[] = [];

  beforeAll(async () => {
    gateway = await TestGateway.start();
    gateway.events.on('connectionOpened', ({ connection }) => opened.push(new WeakRef(connection)));
  });
  afterAll(() => gateway.stop());

  it('is greeted with the answer to its handshake, in one write', async () => {
    const writes: string[] = [];
    gateway.app.getHttpServer().once('connection', (socket: Socket) => {
      for (const method of ['_write', '_writev'] as const) {
        vi.spyOn(socket, method).mockImplementation((...args: unknown[]) => {
          writes.push(method);
          const original = Socket.prototype[method] as (...args: unknown[]) => void;
          original.apply(socket, args);
        });
      }
    });
    const raw = await RawSocket.dial(gateway.port);
    raw.write(upgradeRequest('/app/test-key'));
    await raw.message('pusher:connection_established');
    expect(writes).toEqual(['_writev']);
    raw.destroy();
  });

  it('may subscribe in the segment that asks for the upgrade', async () => {
    const raw = await RawSocket.dial(gateway.port);
    const subscribe = JSON.stringify({ event: 'pusher:subscribe', data: { channel: 'room' } });
    raw.write(Buffer.concat([Buffer.from(upgradeRequest('/app/test-key')), frame(subscribe)]));
    await raw.message('pusher_internal:subscription_succeeded');
    expect(raw.messages()[0]?.event).toBe('pusher:connection_established');
    raw.destroy();
  });

  it.each([
    ['a message', frame('x'.repeat(9_000)), 'pusher:error'],
    ['a ping', frame('', { opcode: Opcode.ping }), undefined],
  ])('keeps nothing of what it received while it is idle: %s at the end of a segment', async (_, last, answer) => {
    const count = 100;
    // Chunks of what was read are 64 KB at most.
    const burst = Buffer.concat([...Array.from({ length: 5 }, () => frame('x'.repeat(9_000))), last]);
    await collect();
    const before = process.memoryUsage().arrayBuffers;
    const raws = await withConnections(gateway, count, async (raw) => {
      raw.write(burst);
      if (answer !== undefined) await raw.message(answer);
      await raw.until(({ frames }) => frames.find(({ opcode }) => opcode === Opcode.pong) ?? (answer && frames[6]));
    });
    // What the test itself has received is not the server's.
    for (const raw of raws) raw.frames.length = 0;
    // It takes some turns until all is collected; what is kept never is.
    const kept = async () => {
      await collect();
      return (process.memoryUsage().arrayBuffers - before) / count;
    };
    await expect.poll(kept).toBeLessThan(4_000);
    for (const raw of raws) raw.destroy();
    await untilConnections(gateway, 0);
  });

  const leave: readonly (readonly [string, (raw: RawSocket) => void])[] = [
    ['says goodbye', (raw) => raw.socket.end(closeFrame(1000))],
    ['vanishes', (raw) => raw.destroy()],
    ['is reset', (raw) => raw.socket.resetAndDestroy()],
    ['breaks the protocol', (raw) => raw.write(frame('x', { masked: false }))],
  ];

  it.each(leave)('that %s is forgotten, with its subscriptions and whatever it waited for', async (_, go) => {
    opened.length = 0;
    const raws = await withConnections(gateway, 20, async (raw) => {
      for (const channel of ['room', 'other']) raw.send({ event: 'pusher:subscribe', data: { channel } });
      raw.send({ event: 'pusher:subscribe', data: { channel: 'private-room', auth: 'nonsense' } });
      await raw.message('pusher:subscription_error');
    });
    for (const raw of raws) go(raw);
    await untilConnections(gateway, 0);
    for (const raw of raws) raw.destroy();
    expect(opened).toHaveLength(20);
    const left = async () => {
      await collect();
      return opened.filter((each) => each.deref() !== undefined).length;
    };
    // The interpreter may hold the last one in a register.
    await expect.poll(left).toBeLessThanOrEqual(1);
  });
});
