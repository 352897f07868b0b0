import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { signChannel } from '@pogo/pusher-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APP, TestGateway } from '../support/gateway.js';
import { closeFrame, RawSocket } from '../support/raw-socket.js';
import { expectServed, untilConnections } from '../support/well-behaved.js';

const AT_ONCE = 50;
/** A connection that is kept costs kilobytes: ten thousand of them would be far above this, and noise is far below. */
const MAY_GROW_BYTES = 8 * 1_048_576;

const LEAVING: readonly ((raw: RawSocket) => void)[] = [
  (raw) => raw.socket.end(closeFrame(1000)),
  (raw) => raw.socket.end(),
  (raw) => raw.destroy(),
  (raw) => raw.socket.resetAndDestroy(),
];

describe('ten thousand clients that come and go', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await TestGateway.start();
  });
  afterAll(() => gateway.stop());

  it('leave no connection, no channel, no member and no memory behind', async () => {
    await churn(2_000);
    const before = await heapUsed();
    await churn(10_000);
    const after = await heapUsed();
    expect(gateway.hub.connectionCount).toBe(0);
    expect((await gateway.http.get('/connections')).body).toEqual({ connections: 0 });
    expect((await gateway.http.get('/channels')).body).toEqual({ channels: {} });
    expect((await gateway.http.get('/channels/presence-room/users')).body).toEqual({ users: [] });
    expect(after - before).toBeLessThan(MAY_GROW_BYTES);
    await expectServed(gateway);
  }, 240_000);

  async function churn(count: number): Promise<void> {
    let next = 0;
    const worker = async () => {
      while (next < count) await comeAndGo(next++);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    await untilConnections(gateway, 0);
  }

  /** Every third only connects, every third takes part in a presence channel, and every third leaves while it joins. */
  async function comeAndGo(n: number): Promise<void> {
    const raw = await RawSocket.open(gateway);
    if (n % 3 !== 0) subscribe(raw, n);
    if (n % 3 === 1) await raw.message('pusher_internal:subscription_succeeded');
    LEAVING[n % LEAVING.length]?.(raw);
    await raw.ended();
    raw.destroy();
  }

  function subscribe(raw: RawSocket, n: number): void {
    const { socket_id: socketId } = JSON.parse(String(raw.messages()[0]?.data)) as { socket_id: string };
    const member = JSON.stringify({ user_id: n % 40 });
    const auth = signChannel(APP, socketId, 'presence-room', member);
    raw.send({ event: 'pusher:subscribe', data: { channel: 'presence-room', auth, channel_data: member } });
    raw.send({ event: 'pusher:subscribe', data: { channel: `room-${n % 10}` } });
  }
});

/** Bytes of the heap that are still in use after collection. */
async function heapUsed(): Promise<number> {
  setFlagsFromString('--expose_gc');
  const gc = runInNewContext('gc') as () => void;
  // What a socket held is let go over a few turns.
  for (let n = 0; n < 5; n++) {
    await new Promise((resolve) => setImmediate(resolve));
    gc();
  }
  return process.memoryUsage().heapUsed;
}
