import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AuthEndpointProcess, headersOf } from '../support/auth-endpoint.js';
import type { Client } from '../support/client.js';
import { TestGateway } from '../support/gateway.js';
import { allowed, countedFailures, subscribeUnsigned } from '../support/unsigned.js';

let endpoint: AuthEndpointProcess;
let gateway: TestGateway;
beforeAll(async () => {
  endpoint = await AuthEndpointProcess.start();
});
afterAll(() => endpoint.stop());
afterEach(async () => {
  await gateway.stop();
  await endpoint.hasConnections(0);
});

async function startGateway(settings: Readonly<Record<string, string>> = {}): Promise<void> {
  await endpoint.mode('ok');
  endpoint.requests.length = 0;
  gateway = await TestGateway.start({ settings: { auth_endpoint: endpoint.url, ...settings } });
}

/** Clients whose subscriptions are with the endpoint at the same time. */
async function atOnce(count: number): Promise<Client[]> {
  const before = endpoint.requests.length;
  const clients = await Promise.all(Array.from({ length: count }, () => gateway.connect()));
  await endpoint.mode('hang');
  for (const client of clients) subscribeUnsigned(client, 'private-room');
  await endpoint.asked(before + count);
  return clients;
}

async function answer(clients: readonly Client[]): Promise<void> {
  await endpoint.release();
  for (const client of clients) await client.receive('pusher_internal:subscription_succeeded');
  await endpoint.mode('ok');
}

const connectionsOf = () => new Set(endpoint.requests.map(({ connection }) => connection)).size;

describe('connections to the authorization endpoint', () => {
  it('are used again', async () => {
    await startGateway();
    for (let n = 0; n < 20; n++) await allowed(await gateway.connect(), 'private-room');
    expect(connectionsOf()).toBe(1);
  });

  it('are used again after a refusal', async () => {
    await startGateway();
    await endpoint.mode('status 403');
    const client = await gateway.connect();
    for (let n = 0; n < 20; n++) {
      subscribeUnsigned(client, 'private-room');
      await client.reaches('pusher:subscription_error', n + 1);
    }
    expect(connectionsOf()).toBe(1);
  });

  it.each([1, 3])(
    'are as many as there are requests at once, and then %i when num_workers says so',
    async (workers) => {
      await startGateway({ num_workers: String(workers) });
      const clients = await atOnce(10);
      expect(endpoint.openConnections).toBe(10);
      await answer(clients);
      await endpoint.hasConnections(workers);
      const before = connectionsOf();
      await answer(await atOnce(workers));
      expect(connectionsOf()).toBe(before);
    },
  );

  it('are closed after each request when num_workers is 0', async () => {
    await startGateway({ num_workers: '0' });
    for (let n = 0; n < 3; n++) {
      await allowed(await gateway.connect(), 'private-room');
      await endpoint.hasConnections(0);
    }
    expect(connectionsOf()).toBe(3);
    expect(endpoint.requests.map((request) => headersOf(request, 'Connection'))).toEqual(Array(3).fill(['close']));
  });

  it('that the endpoint closes just then cost one repetition, and no client', async () => {
    await startGateway({ num_workers: '5' });
    await answer(await atOnce(5));
    await endpoint.mode('close reused');
    const client = await gateway.connect();
    await allowed(client, 'private-room');
    // Five idle ones would each be closed: the repetition takes a new one.
    expect(endpoint.requests).toHaveLength(5 + 2);
    expect(endpoint.requests.at(-1)?.body).toBe(endpoint.requests.at(-2)?.body);
    expect(countedFailures(gateway)).toEqual({});
  });

  it('that are new and closed are not tried twice', async () => {
    await startGateway();
    await endpoint.mode('close');
    const client = await gateway.connect();
    subscribeUnsigned(client, 'private-room');
    await client.receive('pusher:subscription_error');
    await endpoint.mode('ok');
    expect(endpoint.requests).toHaveLength(1);
  });

  it('are closed when the gateway stops, while they are waited on as well', async () => {
    await startGateway({ shutdown_timeout: '100ms' });
    await allowed(await gateway.connect(), 'private-room');
    // On the connection that was used before: that it is cut off is no reason to ask again.
    await atOnce(1);
    await gateway.stop();
    await endpoint.hasConnections(0);
    await endpoint.mode('ok');
    expect(endpoint.requests).toHaveLength(2);
  });
});
