import { signChannel } from '@pogo/pusher-protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AuthEndpointProcess, headersOf } from '../support/auth-endpoint.js';
import { dataOf } from '../support/client.js';
import { APP, TestGateway } from '../support/gateway.js';
import { allowed, countedFailures, refused, subscribeUnsigned } from '../support/unsigned.js';

let endpoint: AuthEndpointProcess;
let gateway: TestGateway;
beforeAll(async () => {
  endpoint = await AuthEndpointProcess.start();
});
afterAll(() => endpoint.stop());
afterEach(() => gateway.stop());

async function startGateway(settings: Readonly<Record<string, string>> = {}): Promise<void> {
  gateway = await TestGateway.start({ settings: { auth_endpoint: endpoint.url, ...settings } });
}

describe('a client without a signature', () => {
  beforeEach(async () => {
    await startGateway();
    await endpoint.mode('ok');
  });

  it('is let into a private channel by the authorization endpoint', async () => {
    const client = await gateway.connect();
    await allowed(client, 'private-room');
    await gateway.http.publish('private-room', 'news', 'x');
    expect(await client.receive('news')).toEqual({ event: 'news', channel: 'private-room', data: 'x' });
    expect(countedFailures(gateway)).toEqual({});
  });

  it('becomes the member that the endpoint has signed, whatever it says itself', async () => {
    const client = await gateway.connect();
    subscribeUnsigned(client, 'presence-room', { channel_data: '{"user_id":"root"}' });
    const joined = await client.receive('pusher_internal:subscription_succeeded');
    const id = `user of ${client.socketId}`;
    expect(dataOf(joined)).toEqual({ presence: { count: 1, ids: [id], hash: { [id]: { name: 'Ada' } } } });
  });

  it('joins as its signed-in user when the endpoint signs no channel_data', async () => {
    await endpoint.mode('no channel_data');
    const client = await gateway.connect();
    await client.signin({ id: 'ada' });
    expect(dataOf(await allowed(client, 'presence-room'))).toMatchObject({ presence: { ids: ['ada'] } });
  });

  it.each(['', null])('is one as well when `auth` is %j', async (auth) => {
    const client = await gateway.connect();
    subscribeUnsigned(client, 'private-room', { auth });
    await client.receive('pusher_internal:subscription_succeeded');
  });

  it('needs no endpoint for a public channel', async () => {
    const before = endpoint.requests.length;
    const client = await gateway.connect();
    await allowed(client, 'room');
    await endpoint.mode('ok');
    expect(endpoint.requests).toHaveLength(before);
  });
});

describe('the authorization endpoint', () => {
  beforeEach(() => endpoint.mode('ok'));

  it('is told who asks, in the words of the client', async () => {
    await startGateway({ trusted_proxies: '127.0.0.1', auth_endpoint: `${endpoint.url}?from=pogo` });
    const headers = {
      Cookie: 'laravel_session="a=b; c"; name=Zo\u00eb',
      Authorization: 'Bearer 1|tok,en==',
      Origin: 'https://shop.example.com',
      'User-Agent': 'Mozilla/5.0 (X11; Linux)',
      'X-Forwarded-For': '203.0.113.9, 198.51.100.7',
      'X-Secret': 'not for the endpoint',
    };
    const client = await gateway.connect({ headers });
    await allowed(client, 'private-room.1;a=b,c@d-E_F');
    const asked = endpoint.requests.at(-1);
    if (asked === undefined) throw new Error('the endpoint was not asked');
    const body = JSON.stringify({ channel_name: 'private-room.1;a=b,c@d-E_F', socket_id: client.socketId });
    expect(asked).toMatchObject({ method: 'POST', url: '/broadcasting/auth?from=pogo', body });
    const sent = Object.fromEntries(
      asked.rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name, headersOf(asked, name)]] : [])),
    ) as object;
    expect(sent).toEqual({
      'Content-Type': ['application/json'],
      'Content-Length': [String(body.length)],
      Accept: ['application/json'],
      'X-Pogo-Channel': ['private-room.1;a=b,c@d-E_F'],
      Cookie: [headers.Cookie],
      Authorization: [headers.Authorization],
      Origin: [headers.Origin],
      'User-Agent': [headers['User-Agent']],
      'X-Forwarded-For': ['198.51.100.7'],
      Host: [`127.0.0.1:${endpoint.port}`],
      Connection: ['keep-alive'],
    });
  });

  it('is told nothing in the name of a client that has said nothing', async () => {
    await startGateway();
    await allowed(await gateway.connect(), 'private-room');
    const asked = endpoint.requests.at(-1);
    if (asked === undefined) throw new Error('the endpoint was not asked');
    for (const name of ['Cookie', 'Authorization', 'Origin', 'User-Agent']) expect(headersOf(asked, name)).toEqual([]);
    expect(headersOf(asked, 'X-Forwarded-For')).toEqual(['127.0.0.1']);
  });

  it('is not asked about a client that brings a signature, not even a wrong one', async () => {
    await startGateway();
    const before = endpoint.requests.length;
    const client = await gateway.connect();
    const expected = { code: 4009, type: 'AuthError', status: 401, error: 'Invalid signature' };
    for (const auth of [`${APP.key}:00`, 'x', signChannel(APP, '1.1', 'private-room')]) {
      expect(await refused(client, 'private-room', { auth })).toMatchObject(expected);
    }
    await client.subscribe('private-room');
    await endpoint.mode('ok');
    expect(endpoint.requests).toHaveLength(before);
    expect(countedFailures(gateway)).toEqual({ invalid_signature: 3 });
  });

  it('gets its path from auth_path when its address has none', async () => {
    await startGateway({ auth_endpoint: `http://127.0.0.1:${endpoint.port}`, auth_path: '/api/auth' });
    await allowed(await gateway.connect(), 'private-room');
    expect(endpoint.requests.at(-1)?.url).toBe('/api/auth');
  });

  it('is each app’s own, and nobody’s when an app has none', async () => {
    const apps = ['a', 'b', 'c'].map((id) => ({ id, key: `key-${id}`, secret: `secret-${id}` }));
    const [a, b] = await Promise.all(apps.slice(0, 2).map((app) => AuthEndpointProcess.start({ app })));
    if (a === undefined || b === undefined) throw new Error('unreachable');
    const urls = [a.url, b.url];
    gateway = await TestGateway.start({
      apps: apps.map((app, i) => (urls[i] === undefined ? app : { ...app, authEndpoint: urls[i] })),
    });
    const [ofA, ofB, ofC] = await Promise.all(apps.map((app) => gateway.dial(gateway.url(app.key)).established()));
    if (ofA === undefined || ofB === undefined || ofC === undefined) throw new Error('unreachable');
    await a.mode('status 500');
    for (let n = 0; n < 5; n++) expect(await refused(ofA, 'private-room')).toMatchObject({ status: 503 });
    await a.stop();
    expect(await refused(ofA, 'private-room')).toMatchObject({ status: 503 });
    await allowed(ofB, 'private-room');
    expect(await refused(ofC, 'private-room')).toMatchObject({ status: 401, error: 'Missing signature' });
    expect(countedFailures(gateway)).toEqual({ worker_error: 5, circuit_open: 1, missing_signature: 1 });
    expect(b.requests).toHaveLength(1);
    await b.stop();
  });
});
