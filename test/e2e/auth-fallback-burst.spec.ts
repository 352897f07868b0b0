import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthEndpointProcess } from '../support/auth-endpoint.js';
import { dataOf, type Message } from '../support/client.js';
import { TestGateway } from '../support/gateway.js';
import { frame, RawSocket } from '../support/raw-socket.js';
import { countedFailures } from '../support/unsigned.js';

const CLIENTS = 5_000;
const MAX_CONCURRENT = 100;
const DENIED = CLIENTS - MAX_CONCURRENT;
const ROUNDS = 3;
/** Some noise. Each denied subscription that was kept would be more than 500 bytes. */
const MAX_GROWTH_BYTES = 2_000_000;

let endpoint: AuthEndpointProcess;
let gateway: TestGateway;
const raws: RawSocket[] = [];
beforeAll(async () => {
  endpoint = await AuthEndpointProcess.start();
  await endpoint.mode('hang');
  const settings = {
    auth_endpoint: endpoint.url,
    max_concurrent_auth: String(MAX_CONCURRENT),
    // Until the test has the endpoint answer.
    auth_timeout: '10m',
    client_msg_rate_limit: '-1',
  };
  gateway = await TestGateway.start({ settings });
});
afterAll(async () => {
  for (const raw of raws) raw.socket.destroy();
  await gateway.stop();
  await endpoint.stop();
});

/** Bytes of the heap that are still in use after collection. */
async function heapUsed(): Promise<number> {
  setFlagsFromString('--expose_gc');
  const gc = runInNewContext('gc') as () => void;
  for (let n = 0; n < 5; n++) {
    await new Promise((resolve) => setImmediate(resolve));
    gc();
  }
  return process.memoryUsage().heapUsed;
}

/** One frame for all of them: who sends it does not matter. */
const SUBSCRIBE = frame(
  JSON.stringify({ event: 'pusher:subscribe', data: { channel: 'private-room', channel_data: 'x'.repeat(500) } }),
);

function socketIdOf(raw: RawSocket): string {
  return (dataOf(raw.messages()[0] as Message) as { readonly socket_id: string }).socket_id;
}

describe('thousands of subscriptions without a signature while the endpoint hangs', () => {
  it('are denied but for max_concurrent_auth, hold no memory, and delay nobody who brings a signature', async () => {
    while (raws.length < CLIENTS) {
      raws.push(...(await Promise.all(Array.from({ length: 250 }, () => RawSocket.open(gateway)))));
    }
    const deniedIds = new Set<string>();
    const areDenied = new Promise<void>((resolve) => {
      gateway.events.on('authFailed', ({ connection }) => {
        if (deniedIds.add(connection.socketId).size === DENIED) resolve();
      });
    });
    const [listener, signed] = [await gateway.connect(), await gateway.connect()];
    await listener.subscribe('public');

    for (const raw of raws) raw.write(SUBSCRIBE);
    signed.send(signed.subscription('private-signed'));
    const published = gateway.http.publish('public', 'still', 'there');
    // All of this is before the first answer of the endpoint, which gives none until it is told to.
    await signed.receive('pusher_internal:subscription_succeeded');
    expect((await published).status).toBe(200);
    await listener.receive('still');
    await endpoint.asked(MAX_CONCURRENT);
    await areDenied;

    const denied = raws.filter((raw) => deniedIds.has(socketIdOf(raw)));
    const waiting = raws.filter((raw) => !deniedIds.has(socketIdOf(raw)));
    const heaps: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      // The first round is the one above.
      if (round > 1) for (const raw of denied) raw.write(SUBSCRIBE);
      await Promise.all(denied.map((raw) => raw.message('pusher:subscription_error')));
      for (const raw of denied) raw.frames.length = 0;
      heaps.push(await heapUsed());
    }
    expect(Math.max(...heaps) - (heaps[0] as number)).toBeLessThan(MAX_GROWTH_BYTES);

    // Nobody was let in or given up meanwhile; those who were asked about are answered when the endpoint finally speaks.
    await endpoint.release();
    await Promise.all(waiting.map((raw) => raw.message('pusher_internal:subscription_succeeded')));
    expect(waiting).toHaveLength(MAX_CONCURRENT);
    expect(endpoint.requests).toHaveLength(MAX_CONCURRENT);
    expect(countedFailures(gateway)).toEqual({ concurrency_limit: ROUNDS * DENIED });
  }, 120_000);
});
