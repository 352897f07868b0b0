import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { AuthEndpointProcess } from '../support/auth-endpoint.js';
import type { Client } from '../support/client.js';
import { TestGateway } from '../support/gateway.js';
import { Log } from '../support/log.js';
import { freePort } from '../support/redis.js';
import { allowed, countedFailures, refused, subscribeUnsigned } from '../support/unsigned.js';

const OPEN_MS = 10_000;
const RESTING = {
  type: 'AuthTimeout',
  status: 503,
  error: 'The authorization endpoint is not available',
};

let endpoint: AuthEndpointProcess;
let gateway: TestGateway;
let client: Client;
let log: Log;
let opened: unknown[];
beforeAll(async () => {
  endpoint = await AuthEndpointProcess.start();
});
afterAll(() => endpoint.stop());
beforeEach(async () => {
  // The breaker reads the wall clock: ten seconds pass when a test says so.
  vi.useFakeTimers({ toFake: ['Date'] });
  await endpoint.mode('ok');
  endpoint.requests.length = 0;
  log = new Log();
  // What comes after the path may be a secret.
  const settings = { auth_endpoint: `${endpoint.url}?token=secret`, client_msg_rate_limit: '-1' };
  gateway = await TestGateway.start({ settings, logger: log });
  opened = [];
  gateway.events.on('authCircuitOpened', (event) => opened.push(event));
  client = await gateway.connect();
});
afterEach(async () => {
  await gateway.stop();
  vi.useRealTimers();
});

let channels = 0;
const newChannel = () => `private-${++channels}`;

/** Subscriptions that the endpoint, or its absence, answers with this failure. */
async function fail(times: number, mode = 'status 500'): Promise<void> {
  await endpoint.mode(mode);
  for (let n = 0; n < times; n++) {
    expect(await refused(client, newChannel())).toMatchObject({ type: 'AuthTimeout', status: 503 });
  }
}

/** Who asks is denied, and the endpoint hears nothing of it. */
async function expectResting(by = client): Promise<void> {
  const before = endpoint.requests.length;
  expect(await refused(by, newChannel())).toMatchObject(RESTING);
  await endpoint.mode('ok');
  expect(endpoint.requests).toHaveLength(before);
}

function pass(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

describe('the circuit breaker of an authorization endpoint', () => {
  it.each(['status 500', 'close', 'redirect'])('opens after five failures in a row: %s', async (mode) => {
    await fail(5, mode);
    expect(opened).toEqual([{ appId: '1', endpoint: endpoint.url }]);
    await expectResting();
    await expectResting();
    expect(opened).toHaveLength(1);
    expect(endpoint.requests).toHaveLength(5);
    expect(countedFailures(gateway)).toMatchObject({ circuit_open: 2 });
    expect(log.take('authorization endpoint')).toEqual([
      `warn authorization endpoint ${endpoint.url} keeps failing: asked once every 10 s from now on`,
    ]);
  });

  it('stays closed when there is an answer in between', async () => {
    for (const answer of ['ok', 'status 403', 'invalid JSON', 'no auth', 'huge', 'wrong signature']) {
      await fail(4);
      await endpoint.mode(answer);
      if (answer === 'ok') await allowed(client, newChannel());
      else expect(await refused(client, newChannel())).toMatchObject({ type: 'AuthError', status: 401 });
    }
    expect(opened).toEqual([]);
    expect(endpoint.requests).toHaveLength(6 * 5);
  });

  it('lets signatures and public channels pass while it is open', async () => {
    await fail(5);
    await client.subscribe('private-signed');
    await client.subscribe('public');
  });

  it('asks once when ten seconds have passed, denies the others meanwhile, and closes when that is answered', async () => {
    await fail(5);
    pass(OPEN_MS - 1);
    await expectResting();
    pass(1);
    await endpoint.mode('hang');
    const prober = await gateway.connect();
    subscribeUnsigned(prober, 'private-probe');
    await endpoint.asked(6);
    // The probe is not answered before these are.
    for (let n = 0; n < 3; n++) await expectResting();
    expect(prober.count('pusher_internal:subscription_succeeded')).toBe(0);
    await endpoint.release();
    await prober.receive('pusher_internal:subscription_succeeded');
    await allowed(client, newChannel());
    await fail(4);
    await endpoint.mode('ok');
    await allowed(client, newChannel());
    expect(opened).toHaveLength(1);
    expect(log.take('authorization endpoint').at(-1)).toBe(`log authorization endpoint ${endpoint.url} answers again`);
  });

  it('closes when the probe is answered with a refusal', async () => {
    await fail(5);
    pass(OPEN_MS);
    await endpoint.mode('status 403');
    expect(await refused(client, newChannel())).toMatchObject({ status: 401 });
    await endpoint.mode('ok');
    await allowed(client, newChannel());
  });

  it('opens for another ten seconds when the probe fails, and is logged once', async () => {
    await fail(5);
    for (let n = 2; n <= 4; n++) {
      pass(OPEN_MS);
      await fail(1);
      expect(opened).toHaveLength(n);
      pass(OPEN_MS - 1);
      await expectResting();
    }
    expect(endpoint.requests).toHaveLength(5 + 3);
    expect(log.take('authorization endpoint')).toHaveLength(1);
    pass(1);
    await allowed(client, newChannel());
  });

  it('takes an endpoint that died and came back as it is', async () => {
    // Nobody else is given its port while it is dead.
    const mortal = await AuthEndpointProcess.start({ port: await freePort() });
    await gateway.stop();
    gateway = await TestGateway.start({ settings: { auth_endpoint: mortal.url } });
    client = await gateway.connect();
    await allowed(client, 'private-before');
    await mortal.stop();
    for (let n = 0; n < 5; n++) await refused(client, newChannel());
    expect(await refused(client, newChannel())).toMatchObject(RESTING);
    expect(countedFailures(gateway)).toEqual({ dispatch_error: 5, circuit_open: 1 });
    const reborn = await AuthEndpointProcess.start({ port: mortal.port });
    expect(await refused(client, newChannel())).toMatchObject(RESTING);
    pass(OPEN_MS);
    await allowed(client, newChannel());
    await allowed(client, newChannel());
    await reborn.stop();
  });

  it('learns nothing from what was asked before it opened', async () => {
    const [early, prober] = [await gateway.connect(), await gateway.connect()];
    await endpoint.mode('hang');
    subscribeUnsigned(early, 'private-early');
    await endpoint.asked(1);
    await fail(5);
    pass(OPEN_MS);
    await endpoint.mode('hang');
    subscribeUnsigned(prober, 'private-probe');
    await endpoint.asked(7);
    await endpoint.cut(1);
    await early.receive('pusher:subscription_error');
    expect(opened).toHaveLength(1);
    await endpoint.release();
    await prober.receive('pusher_internal:subscription_succeeded');
    await endpoint.mode('ok');
    await allowed(client, newChannel());
  });
});
