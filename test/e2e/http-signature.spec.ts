import { bodyMd5, signHttpRequest, type QueryPairs } from '@pogo/pusher-protocol';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { APP, TestGateway } from '../support/gateway.js';
import { HttpApi, type RequestOverrides } from '../support/http-api.js';

const BODY = JSON.stringify({ name: 'my-event', channel: 'news', data: 'x' });
const OK = [200, {}];
const invalid = (suspect: string) => [401, { error: `authentication signature invalid: ${suspect}` }];

let gateway: TestGateway;
let http: HttpApi;
beforeAll(async () => {
  gateway = await TestGateway.start();
  http = gateway.http;
});
afterAll(() => gateway.stop());
afterEach(() => vi.useRealTimers());

const post = async (body: string | undefined, overrides?: RequestOverrides) => {
  const { status, body: answer } = await http.request('POST', '/events', body, overrides);
  return [status, answer];
};
const get = async (path: string, overrides?: RequestOverrides) => {
  const { status, body } = await http.request('GET', path, undefined, overrides);
  return [status, body];
};

/** A GET with exactly these query parameters; what is signed is what is sent. */
async function getSigned(path: string, pairs: QueryPairs, as = 'auth_signature'): Promise<unknown[]> {
  const signature = signHttpRequest(APP.secret, 'GET', path, pairs);
  const query = new URLSearchParams([...pairs.map(([key, value]) => [key, value]), [as, signature]] as [
    string,
    string,
  ][]);
  const response = await fetch(`http://127.0.0.1:${gateway.port}${path}?${query.toString()}`);
  return [response.status, await response.json()];
}

const authPairs = (): [string, string][] => [
  ['auth_key', APP.key],
  ['auth_timestamp', String(Math.floor(Date.now() / 1_000))],
  ['auth_version', '1.0'],
];

describe('A signed request', () => {
  it('is accepted, with a body and without', async () => {
    expect(await post(BODY)).toEqual(OK);
    expect(await get('/connections')).toEqual([200, { connections: 0 }]);
  });

  it('of the documentation is accepted on its day, and not on ours', async () => {
    const settings = { app_id: '3', app_key: '278d425bdf160c739803', app_secret: '7ad3773142a6692b25b8' };
    const documented = await TestGateway.start({ settings });
    onTestFinished(() => documented.stop());
    const url =
      `http://127.0.0.1:${documented.port}/apps/3/events?body_md5=ec365a775a4cd0599faeb73354201b6f&auth_version=1.0` +
      '&auth_key=278d425bdf160c739803&auth_timestamp=1353088179' +
      '&auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c';
    const body = '{"name":"foo","channels":["project-3"],"data":"{\\"some\\":\\"data\\"}"}';
    const today = await fetch(url, { method: 'POST', body });
    expect([today.status, await today.json()]).toEqual(invalid('timestamp'));
    vi.useFakeTimers({ toFake: ['Date'], now: 1_353_088_179_000 });
    const then = await fetch(url, { method: 'POST', body });
    expect([then.status, await then.json()]).toEqual(OK);
  });
});

describe('A request is refused and told why, when', () => {
  it.each<[what: string, suspect: string, tamper: Record<string, string>]>([
    ['its key is another one', 'key', { auth_key: 'other-key' }],
    ['its key is empty', 'key', { auth_key: '' }],
    ['its key is the secret', 'key', { auth_key: APP.secret }],
    ['its version is 2.0', 'version', { auth_version: '2.0' }],
    ['its version is 1', 'version', { auth_version: '1' }],
    ['its version is empty', 'version', { auth_version: '' }],
    ['its timestamp is no number', 'timestamp', { auth_timestamp: 'now' }],
    ['its timestamp is empty', 'timestamp', { auth_timestamp: '' }],
    ['its timestamp is negative', 'timestamp', { auth_timestamp: '-1353088179' }],
    ['its timestamp is in hexadecimal', 'timestamp', { auth_timestamp: '0x50a67cf3' }],
    ['its timestamp is in milliseconds', 'timestamp', { auth_timestamp: '1353088179000' }],
    ['its digest is of another body', 'digest', { body_md5: bodyMd5(Buffer.from('{}')) }],
    ['its digest is empty', 'digest', { body_md5: '' }],
    ['its digest is in upper case', 'digest', { body_md5: bodyMd5(Buffer.from(BODY)).toUpperCase() }],
    ['its signature is another one', 'signature', { auth_signature: 'a'.repeat(64) }],
    ['its signature is empty', 'signature', { auth_signature: '' }],
    ['its signature is too short', 'signature', { auth_signature: 'abc' }],
    ['a parameter was added after signing', 'signature', { info: 'subscription_count' }],
  ])('%s', async (_what, suspect, tamper) => {
    expect(await post(BODY, { tamper })).toEqual(invalid(suspect));
  });

  it.each([
    ['auth_key', 'key'],
    ['auth_version', 'version'],
    ['auth_timestamp', 'timestamp'],
  ])('it has no %s', async (left, suspect) => {
    const pairs = authPairs().filter(([key]) => key !== left);
    expect(await getSigned('/apps/1/connections', pairs)).toEqual(invalid(suspect));
  });

  it('it has no digest although it has a body, or no parameter at all', async () => {
    const query = new URLSearchParams(authPairs());
    const signature = signHttpRequest(APP.secret, 'POST', '/apps/1/events', authPairs());
    const url = `http://127.0.0.1:${gateway.port}/apps/1/events`;
    const undigested = await fetch(`${url}?${query.toString()}&auth_signature=${signature}`, {
      method: 'POST',
      body: BODY,
    });
    expect([undigested.status, await undigested.json()]).toEqual(invalid('digest'));
    const bare = await fetch(url, { method: 'POST', body: BODY });
    expect([bare.status, await bare.json()]).toEqual(invalid('key'));
  });

  it('it was signed for another method, path or app', async () => {
    expect(await post(BODY, { signedPath: '/apps/1/batch_events' })).toEqual(invalid('signature'));
    expect(await post(BODY, { signedPath: '/apps/2/events' })).toEqual(invalid('signature'));
    expect(await post(BODY, { signedPath: '/events' })).toEqual(invalid('signature'));
    const asPost = signHttpRequest(APP.secret, 'POST', '/apps/1/connections', authPairs());
    expect(await get('/connections', { tamper: { auth_signature: asPost } })).toEqual(invalid('signature'));
  });

  it('it was signed with another secret', async () => {
    const thief = new HttpApi(`http://127.0.0.1:${gateway.port}`, { ...APP, secret: 'guessed' });
    const { status, body } = await thief.get('/connections');
    expect([status, body]).toEqual(invalid('signature'));
  });

  it.each([-610, 610, -86_400, 86_400])('its clock is %i seconds off: a replay', async (clockSkew) => {
    expect(await post(BODY, { clockSkew })).toEqual(invalid('timestamp'));
  });

  it.each([-10, 10])('it is %i seconds off and http_signature_max_age is 5s', async (clockSkew) => {
    const strict = await TestGateway.start({ settings: { http_signature_max_age: '5s' } });
    onTestFinished(() => strict.stop());
    const { status, body } = await strict.http.post('/events', BODY, { clockSkew });
    expect([status, body]).toEqual(invalid('timestamp'));
    expect((await strict.http.post('/events', BODY)).status).toBe(200);
  });
});

describe('A request is accepted, when', () => {
  it.each([-590, 590])('its clock is %i seconds off', async (clockSkew) => {
    expect(await post(BODY, { clockSkew })).toEqual(OK);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/octet-stream',
    'nonsense',
    'a/b;;=',
    'text/xml',
  ])('its body is said to be %s: type is no matter', async (type) => {
    expect(await post(BODY, { headers: { 'Content-Type': type } })).toEqual(OK);
    expect(await post(BODY, { headers: { 'Content-Type': type }, tamper: { body_md5: 'x' } })).toEqual(
      invalid('digest'),
    );
  });

  it('its body has no content type at all', async () => {
    const pairs: QueryPairs = [...authPairs(), ['body_md5', bodyMd5(Buffer.from(BODY))]];
    const signature = signHttpRequest(APP.secret, 'POST', '/apps/1/events', pairs);
    const query = new URLSearchParams([...pairs, ['auth_signature', signature]] as [string, string][]);
    const response = await fetch(`http://127.0.0.1:${gateway.port}/apps/1/events?${query.toString()}`, {
      method: 'POST',
      body: Buffer.from(BODY),
    });
    expect([response.status, await response.json()]).toEqual(OK);
  });

  it.each([
    ['/channels/private-a,b;c@d=e', '/channels/private-a%2Cb%3Bc%40d%3De'],
    ['/channels/private-a%2Cb%3Bc%40d%3De', '/channels/private-a,b;c@d=e'],
    ['/channels/private-a%2Cb%3Bc%40d%3De', '/channels/private-a%2Cb%3Bc%40d%3De'],
    ['/channels/private-a,b;c@d=e', '/channels/private-a,b;c@d=e'],
  ])('it asks for %s and has signed %s, unless it signed an encoding that it did not send', async (sent, signed) => {
    const isOwnEncoding = signed === sent || !signed.includes('%');
    const [status] = await get(sent, { signedPath: `/apps/1${signed}` });
    expect(status).toBe(isOwnEncoding ? 200 : 401);
  });

  it('a key is repeated: every value is signed, in order', async () => {
    const pairs: QueryPairs = [...authPairs(), ['filter_by_prefix', 'b'], ['filter_by_prefix', 'a']];
    expect(await getSigned('/apps/1/channels', pairs)).toEqual([
      400,
      { error: expect.stringContaining('filter_by_prefix') as string },
    ]);
    const swapped: QueryPairs = [...authPairs(), ['x', '2'], ['x', '1']];
    expect(await getSigned('/apps/1/channels', swapped)).toEqual([200, { channels: {} }]);
    const signature = signHttpRequest(APP.secret, 'GET', '/apps/1/channels', swapped);
    const [status] = await get('/channels', { query: { x: '2' }, tamper: { auth_signature: signature } });
    expect(status).toBe(401);
  });

  it('its query keys are in upper case: they are signed in lower case', async () => {
    const upper: QueryPairs = authPairs().map(([key, value]) => [key.toUpperCase(), value]);
    expect(await getSigned('/apps/1/connections', upper, 'AUTH_SIGNATURE')).toEqual([200, { connections: 0 }]);
  });

  it('its query values have signs that a URL escapes', async () => {
    const pairs: QueryPairs = [...authPairs(), ['x', 'a b&c=d+e%2F é'], ['y', '']];
    expect(await getSigned('/apps/1/connections', pairs)).toEqual([200, { connections: 0 }]);
  });
});

describe('Behind a path prefix', () => {
  it('a request may sign its path with the prefix or without, and nothing else', async () => {
    const prefixed = await TestGateway.start({ settings: { path_prefix: '/ws/v1' } });
    onTestFinished(() => prefixed.stop());
    const sign = async (signedPath: string) => (await prefixed.http.post('/events', BODY, { signedPath })).status;
    expect(await sign('/ws/v1/apps/1/events')).toBe(200);
    expect(await sign('/apps/1/events')).toBe(200);
    expect(await sign('/v1/apps/1/events')).toBe(401);
    const encoded = '/channels/private-a%2Cb';
    const { status } = await prefixed.http.get(encoded, {}, { signedPath: '/apps/1/channels/private-a,b' });
    expect(status).toBe(200);
  });
});
