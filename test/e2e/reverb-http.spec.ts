import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { APP, TestGateway } from '../support/gateway.js';
import { RawHttp, signedTarget, type RawAnswer, type RawRequest } from '../support/raw-request.js';
import { httpOf, reverbApp, Wire } from '../support/reverb.js';

const OTHER = { id: 'other', key: 'other-key', secret: 'other-secret', dialect: 'pusher' as const };

let gateway: TestGateway;
let raw: RawHttp;
beforeAll(async () => {
  const settings = { dialect: 'reverb', max_body_bytes: '2000', max_event_bytes: '1000' };
  gateway = await TestGateway.start({ settings, apps: [APP, OTHER] });
  raw = new RawHttp(gateway.port);
  const [ann, bob, bobsSecondTab] = [await gateway.connect(), await gateway.connect(), await gateway.connect()];
  await ann.subscribe('test-channel');
  await bob.subscribe('test-channel');
  await ann.subscribe('presence-room', { user_id: 1, user_info: { name: 'Ann' } });
  await bob.subscribe('presence-room', { user_id: '2' });
  await bobsSecondTab.subscribe('presence-room', { user_id: '2' });
  await ann.subscribe('cache-room');
});
afterAll(async () => {
  raw.close();
  await gateway.stop();
});

/** Status and body as they are on the wire. */
async function wire(request: RawRequest, target?: string): Promise<[status: number, text: string]> {
  const { status, text } = await raw.send({ ...request, path: `/apps/1${request.path}` }, target);
  return [status, text];
}

const get = (path: string, query: Readonly<Record<string, string>> = {}) =>
  wire({ method: 'GET', path, query: Object.entries(query) });
const post = (path: string, body: unknown) =>
  wire({ path, body: typeof body === 'string' ? body : JSON.stringify(body) });
const EVENT = { name: 'NewEvent', channel: 'test-channel', data: '{"some":"data"}' };

describe('A publish to a reverb app', () => {
  it('is answered with an empty object', async () => {
    expect(await post('/events', EVENT)).toEqual([200, '{}']);
  });

  it('tells for each channel the attributes that apply to it', async () => {
    const channels = ['presence-room', 'test-channel', 'nobody-here'];
    const publish = (info: string) => post('/events', { ...EVENT, channel: undefined, channels, info });
    expect(await publish('user_count')).toEqual([
      200,
      '{"channels":{"presence-room":{"user_count":2},"test-channel":{},"nobody-here":{}}}',
    ]);
    expect(await publish('subscription_count')).toEqual([
      200,
      '{"channels":{"presence-room":{},"test-channel":{"subscription_count":2},"nobody-here":{}}}',
    ]);
  });

  it('does not fail for a socket_id that is none, and leaves nobody out', async () => {
    const client = await gateway.connect();
    await client.subscribe('ignored');
    expect(await post('/events', { ...EVENT, channel: 'ignored', socket_id: 'invalid-socket-id' })).toEqual([
      200,
      '{}',
    ]);
    expect(await client.receive('NewEvent')).toMatchObject({ channel: 'ignored' });
  });
});

describe('A batch to a reverb app', () => {
  it('is answered with an empty batch when nobody asked for anything', async () => {
    expect(await post('/batch_events', { batch: [EVENT, EVENT] })).toEqual([200, '{"batch":{}}']);
    expect(await post('/batch_events', { batch: [] })).toEqual([200, '{"batch":{}}']);
  });

  it('is so when nothing that was asked for applies', async () => {
    expect(await post('/batch_events', { batch: [{ ...EVENT, info: 'user_count' }] })).toEqual([200, '{"batch":{}}']);
  });

  it('has a list, of which each is about one event, when something applies', async () => {
    const batch = [
      { ...EVENT, channel: 'presence-room', info: 'user_count' },
      EVENT,
      { ...EVENT, info: 'subscription_count,user_count' },
    ];
    expect(await post('/batch_events', { batch })).toEqual([
      200,
      '{"batch":[{"user_count":2},{},{"subscription_count":2}]}',
    ]);
  });
});

describe('A channel of a reverb app', () => {
  const ALL = { info: 'user_count,subscription_count,cache,nonsense' };

  it.each([
    ['test-channel', '{"occupied":true,"subscription_count":2}'],
    ['presence-room', '{"occupied":true,"user_count":2}'],
    ['nobody-here', '{"occupied":false}'],
    ['presence-nobody', '{"occupied":false}'],
    ['cache-nobody', '{"occupied":false}'],
  ])('%s has the attributes that apply', async (channel, text) => {
    expect(await get(`/channels/${channel}`, ALL)).toEqual([200, text]);
  });

  it('has no others than were asked for', async () => {
    expect(await get('/channels/test-channel')).toEqual([200, '{"occupied":true}']);
    expect(await get('/channels/test-channel', { info: 'user_count' })).toEqual([200, '{"occupied":true}']);
  });

  it('has as its cache the event as it was sent', async () => {
    await post('/events', { ...EVENT, channel: 'cache-room' });
    expect(await get('/channels/cache-room', ALL)).toEqual([
      200,
      String.raw`{"occupied":true,"subscription_count":1,"cache":{"event":"NewEvent","data":"{\"some\":\"data\"}","channel":"cache-room"}}`,
    ]);
  });

  it('is in the list with what applies to it', async () => {
    const [status, text] = await get('/channels', { info: 'user_count,cache,occupied' });
    const { channels } = JSON.parse(text) as { channels: Record<string, unknown> };
    expect([status, channels['presence-room'], channels['test-channel']]).toEqual([
      200,
      { occupied: true, user_count: 2 },
      { occupied: true },
    ]);
  });
});

describe('The users of a channel of a reverb app', () => {
  it('have ids of the type that was signed', async () => {
    expect(await get('/channels/presence-room/users')).toEqual([200, '{"users":[{"id":1},{"id":"2"}]}']);
    expect(await get('/channels/presence-room/users', { with_user_info: '1' })).toEqual([
      200,
      '{"users":[{"id":1,"user_info":{"name":"Ann"}},{"id":"2","user_info":{}}]}',
    ]);
  });

  it('are JSON', async () => {
    const { headers } = await raw.send({ method: 'GET', path: '/apps/1/channels/presence-room/users' });
    expect(headers['content-type']).toMatch(/^application\/json/);
  });

  it('are not found in an empty channel, and not to be had of another kind', async () => {
    expect(await get('/channels/presence-nobody/users')).toEqual([404, '{}']);
    expect(await get('/channels/nobody-here/users')).toEqual([404, '{}']);
    expect(await get('/channels/test-channel/users')).toEqual([400, '{}']);
  });
});

describe('A refusal of a reverb app', () => {
  const signed: RawRequest = { method: 'GET', path: '/apps/1/channels' };
  const tampered = (what: RegExp, by: string) => signedTarget(signed).replace(what, by);
  const ask = (target: string, method = 'GET'): Promise<RawAnswer> => raw.send({ ...signed, method }, target);

  it.each([
    ['a wrong signature', () => tampered(/auth_signature=.*/, 'auth_signature=0')],
    ['another key', () => tampered(/auth_key=[^&]*/, 'auth_key=other')],
    ['no signature', () => '/apps/1/channels'],
  ])('for %s is 401 in plain text', async (_what, target) => {
    const { status, text, headers } = await ask(target());
    expect([status, text]).toEqual([401, 'Authentication signature invalid.']);
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
  });

  it('names an app that there is not', async () => {
    const { status, text } = await ask('/apps/nobody/channels');
    expect([status, text]).toEqual([404, 'No matching application for ID [nobody].']);
  });

  it('for a route or a method that there is not has Reverb’s words', async () => {
    for (const path of ['/', '/apps/1/nothing']) {
      const { status, text } = await ask(path);
      expect([status, text]).toEqual([404, 'Not found.']);
    }
    const { status, text, headers } = await ask('/apps/1/channels', 'DELETE');
    expect([status, text, headers.allow]).toEqual([405, 'Method not allowed.', 'GET, HEAD']);
  });

  it('for too large a body, or data, is the same', async () => {
    expect(await post('/events', { ...EVENT, data: 'x'.repeat(1_001) })).toEqual([413, 'Payload too large.']);
    expect(await post('/events', { ...EVENT, data: 'x'.repeat(2_001) })).toEqual([413, 'Payload too large.']);
  });

  it.each(['{', 'null', '[]'])('for the body %s is an internal error', async (body) => {
    expect(await post('/events', body)).toEqual([500, 'Internal server error.']);
  });

  it('for a wrong field is the sentence that names it', async () => {
    const [status, text] = await post('/events', { ...EVENT, name: 7 });
    expect([status, text]).toEqual([422, expect.stringMatching(/^Field name: /) as string]);
  });
});

describe('What concerns no app', () => {
  it('is healthy in Reverb’s words on a server that speaks it', async () => {
    const response = await fetch(`http://127.0.0.1:${gateway.port}/up`);
    expect([response.status, await response.text()]).toEqual([200, '{"health":"OK"}']);
  });

  it('is in Pusher’s words on another server, whatever one of its apps speaks', async () => {
    const app = reverbApp('reverb');
    const mixed = await TestGateway.start({ apps: [APP, app] });
    onTestFinished(() => mixed.stop());
    const base = `http://127.0.0.1:${mixed.port}`;
    expect(await (await fetch(`${base}/up`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(`${base}/nothing`)).json()).toEqual({ error: 'not found' });
    expect(await (await fetch(`${base}/apps/nobody/channels`)).json()).toEqual({ error: 'application not found' });
    expect((await httpOf(mixed, { ...app, secret: 'wrong' }).get('/channels')).body).toBe(
      'Authentication signature invalid.',
    );
  });
});

describe('An app that speaks pusher, on a server that speaks reverb', () => {
  const http = () => httpOf(gateway, OTHER);

  it('is answered in its own words', async () => {
    const { client } = await Wire.connect(gateway, OTHER);
    await client.subscribe('presence-room', { user_id: 1 });
    expect((await http().get('/channels/presence-room/users')).body).toEqual({ users: [{ id: '1' }] });
    expect((await http().get('/channels/presence-nobody/users')).body).toEqual({ users: [] });
    expect((await http().post('/batch_events', { batch: [EVENT] })).body).toEqual({});
    expect((await http().get('/channels/test-channel', { info: 'user_count' })).status).toBe(400);
    expect(await http().post('/events', '{')).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('JSON') as string },
    });
  });

  it('is refused in its own words', async () => {
    const wrong = httpOf(gateway, { ...OTHER, secret: 'wrong' });
    expect(await wrong.get('/channels')).toMatchObject({
      status: 401,
      body: { error: 'authentication signature invalid: signature' },
    });
  });
});
