import type { AuthFailure } from '@pogo/hub';
import { signChannel } from '@pogo/pusher-protocol';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AuthEndpointProcess } from '../support/auth-endpoint.js';
import { APP, TestGateway } from '../support/gateway.js';
import { Log } from '../support/log.js';
import { freePort } from '../support/redis.js';
import { allowed, countedFailures, refused } from '../support/unsigned.js';

let endpoint: AuthEndpointProcess;
let gateway: TestGateway;
let failures: (readonly [string | undefined, AuthFailure])[];
beforeAll(async () => {
  endpoint = await AuthEndpointProcess.start();
});
afterAll(() => endpoint.stop());
afterEach(() => gateway.stop());

/** A gateway of its own for each test, because the breaker remembers. */
async function startGateway(settings: Readonly<Record<string, string>> = {}): Promise<Log> {
  const log = new Log();
  gateway = await TestGateway.start({ settings: { auth_endpoint: endpoint.url, ...settings }, logger: log });
  failures = [];
  gateway.events.on('authFailed', ({ channel, failure }) => failures.push([channel, failure]));
  return log;
}

describe('a client is refused', () => {
  const UNANSWERED = 'The authorization endpoint did not answer';
  const REFUSED = 'The authorization endpoint refused';
  const NONE = 'The authorization endpoint answered no authorization';
  const cases: [mode: string, failure: AuthFailure, error: string, channel?: string][] = [
    ['status 500', 'worker_error', 'The authorization endpoint failed'],
    ['status 503', 'worker_error', 'The authorization endpoint failed'],
    ['status 401', 'denied', REFUSED],
    ['status 403', 'denied', REFUSED],
    ['status 201', 'denied', REFUSED],
    ['huge refusal', 'denied', REFUSED],
    ['redirect', 'dispatch_error', 'The authorization endpoint answered with a redirect'],
    ['close', 'dispatch_error', UNANSWERED],
    ['truncated', 'dispatch_error', UNANSWERED],
    ['huge', 'body_overflow', 'The authorization endpoint answered too much'],
    ['invalid JSON', 'invalid_response_json', NONE],
    ['JSON null', 'invalid_response_json', NONE],
    ['auth of another type', 'invalid_response_json', NONE],
    ['channel_data of another type', 'invalid_response_json', NONE, 'presence-room'],
    ['no auth', 'missing_signature', 'Missing signature'],
    ['empty array', 'missing_signature', 'Missing signature'],
    ['empty auth', 'missing_signature', 'Missing signature'],
    ['wrong signature', 'invalid_signature', 'Invalid signature'],
    ['other socket', 'invalid_signature', 'Invalid signature'],
    ['no channel_data', 'missing_channel_data', 'Missing channel_data', 'presence-room'],
    [
      'channel_data without user_id',
      'missing_channel_data',
      'Invalid channel_data: user_id is required',
      'presence-room',
    ],
  ];

  it.each(cases)('when the endpoint answers: %s (%s)', async (...[mode, failure, error, channel = 'private-room']) => {
    const log = await startGateway();
    await endpoint.mode(mode);
    const client = await gateway.connect({ headers: { Cookie: 'session=of-the-client' } });
    const before = endpoint.requests.length;
    const undecided = failure === 'dispatch_error' || failure === 'worker_error';
    expect(await refused(client, channel)).toEqual({
      code: 4009,
      message: `Subscription to ${channel} rejected`,
      ...(undecided ? { type: 'AuthTimeout', status: 503 } : { type: 'AuthError', status: 401 }),
      error,
    });
    expect(countedFailures(gateway)).toEqual({ [failure]: 1 });
    expect(failures).toEqual([[channel, failure]]);
    expect(endpoint.requests).toHaveLength(before + 1);
    expect(log.lines.join('\n')).not.toMatch(/of-the-client|only the application/);
    // It is served as before, and so is the channel.
    await endpoint.mode('ok');
    await allowed(client, channel);
    expect(client.count('pusher:error')).toBe(1);
  });

  it.each(['hang', 'drip'])('when the endpoint takes longer than auth_timeout: %s (dispatch_error)', async (mode) => {
    await startGateway({ auth_timeout: '200ms' });
    await endpoint.mode(mode);
    const client = await gateway.connect();
    expect(await refused(client, 'private-room')).toEqual({
      code: 4009,
      message: 'Subscription to private-room rejected',
      type: 'AuthTimeout',
      status: 503,
      error: 'The authorization took too long',
    });
    expect(countedFailures(gateway)).toEqual({ dispatch_error: 1 });
    expect(failures).toEqual([['private-room', 'dispatch_error']]);
    // The request is not left behind.
    await endpoint.hasConnections(0);
  });

  it.each(['huge', 'huge refusal'])('without reading an answer to its end that has none: %s', async (mode) => {
    await startGateway({ auth_timeout: '10m' });
    await endpoint.mode(mode);
    expect(await refused(await gateway.connect(), 'private-room')).toMatchObject({ status: 401 });
    await endpoint.hasConnections(0);
  });

  it('when nobody listens at the endpoint’s address (dispatch_error)', async () => {
    await startGateway({ auth_endpoint: `http://127.0.0.1:${await freePort()}/auth` });
    const client = await gateway.connect();
    expect(await refused(client, 'private-room')).toMatchObject({
      type: 'AuthTimeout',
      status: 503,
      error: UNANSWERED,
    });
    expect(countedFailures(gateway)).toEqual({ dispatch_error: 1 });
  });

  it('when there is no endpoint (missing_signature)', async () => {
    gateway = await TestGateway.start();
    const client = await gateway.connect();
    const expected = { type: 'AuthError', status: 401, error: 'Missing signature' };
    expect(await refused(client, 'private-room')).toMatchObject(expected);
    expect(countedFailures(gateway)).toEqual({ missing_signature: 1 });
  });

  it('when the answer has more bytes than max_auth_body, and not when it has just as many', async () => {
    // Signatures have one length, whoever they are for.
    const auth = `{"auth":"${signChannel(APP, '1.1', 'private-room')}"}`;
    await startGateway({ max_auth_body: String(auth.length) });
    await endpoint.mode('ok');
    await allowed(await gateway.connect(), 'private-room');
    await gateway.stop();
    await startGateway({ max_auth_body: String(auth.length - 1) });
    expect(await refused(await gateway.connect(), 'private-room')).toMatchObject({ status: 401 });
    expect(countedFailures(gateway)).toEqual({ body_overflow: 1 });
  });
});
