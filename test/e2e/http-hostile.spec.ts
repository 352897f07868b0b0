import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../support/gateway.js';
import { expectDocumented, RawHttp, signedTarget, type RawRequest } from '../support/raw-request.js';
import { expectServed } from '../support/well-behaved.js';

const RUNS = { numRuns: 150, endOnFailure: true };

/** Text as it can stand in a JSON body: any UTF-16 units, broken surrogates included. */
const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) });
const channel = fc.oneof(fc.constantFrom('a', 'presence-a', 'cache-a', '__proto__', '#server-to-user-1', ''), anyText);
const wrong = fc.oneof(fc.jsonValue(), anyText);
/** Events that are almost right: every field there or not, of the right type or not. */
const almost = fc.record(
  {
    name: fc.oneof({ weight: 3, arbitrary: fc.constantFrom('event', 'pusher:x', 'client-x') }, wrong),
    data: fc.oneof(anyText, wrong),
    channel: fc.oneof({ weight: 3, arbitrary: channel }, wrong),
    channels: fc.oneof({ weight: 3, arbitrary: fc.array(channel, { maxLength: 3 }) }, wrong),
    socket_id: fc.oneof(fc.constantFrom('1.2', '', null), wrong),
    info: fc.oneof(fc.constantFrom('user_count,cache', 'subscription_count', '__proto__', ''), wrong),
    ['__proto__']: wrong,
  },
  { requiredKeys: [] },
);
const publishPath = fc.constantFrom('/apps/1/events', '/apps/1/batch_events');
const readPath = fc.constantFrom(
  '/apps/1/channels',
  '/apps/1/channels/a',
  '/apps/1/channels/presence-a',
  '/apps/1/channels/presence-a/users',
  '/apps/1/connections',
);
/** What a path may hold without being a path to anything; `?` and `#` would end it. */
const garbage = fc
  .string({ unit: fc.constantFrom(...'/%.:;*~-_aA0&=+@!$(),[]{}|\\^"<>`\'é') })
  .map((text) => text.replaceAll('é', '%C3%A9'));

describe('the HTTP API', () => {
  let gateway: TestGateway;
  let http: RawHttp;
  const complaints: string[] = [];

  beforeAll(async () => {
    const logger = {
      log: () => undefined,
      warn: () => undefined,
      error: (text: unknown) => complaints.push(String(text)),
    };
    gateway = await TestGateway.start({ logger });
    http = new RawHttp(gateway.port);
  });
  afterEach(() => {
    expect(complaints.splice(0)).toEqual([]);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
  afterAll(async () => {
    http.close();
    await gateway.stop();
  });

  /** Fails unless every request that `requests` makes up gets a documented answer. */
  async function expectDocumentedFor(requests: fc.Arbitrary<RawRequest>): Promise<void> {
    await fc.assert(
      fc.asyncProperty(requests, async (request) => expectDocumented(await http.send(request), request.method)),
      RUNS,
    );
    await expectServed(gateway);
  }

  it('answers any JSON value as the body of a publish', () =>
    expectDocumentedFor(fc.record({ path: publishPath, body: fc.json() })));

  it('answers any event that is almost right', () =>
    expectDocumentedFor(almost.map((event) => ({ path: '/apps/1/events', body: JSON.stringify(event) }))));

  it('answers any batch of events that are almost right', () =>
    expectDocumentedFor(
      fc.array(fc.oneof({ weight: 4, arbitrary: almost }, wrong), { maxLength: 12 }).map((batch) => ({
        path: '/apps/1/batch_events',
        body: JSON.stringify({ batch }),
      })),
    ));

  it('answers any text as the body of a publish', () =>
    expectDocumentedFor(fc.record({ path: publishPath, body: fc.string() })));

  it('answers any bytes as the body of a publish', () =>
    expectDocumentedFor(fc.record({ path: publishPath, body: fc.uint8Array().map((bytes) => Buffer.from(bytes)) })));

  it('publishes any text as data, to the last character', async () => {
    const client = await gateway.connect();
    await client.subscribe('any-text');
    await fc.assert(
      fc.asyncProperty(anyText, async (data) => {
        fc.pre(data !== '');
        const body = JSON.stringify({ name: 'any', channel: 'any-text', data });
        expect((await http.send({ path: '/apps/1/events', body })).status).toBe(200);
        expect((await client.receive('any')).data).toBe(data);
      }),
      RUNS,
    );
    await client.disconnect();
  });

  it('answers any parameters of a query', () => {
    const name = fc.oneof(
      fc.constantFrom('info', 'filter_by_prefix', 'with_user_info', 'INFO', 'info[]', '__proto__', 'auth_key', 'name'),
      fc.string(),
    );
    const value = fc.oneof(
      fc.constantFrom('user_count', 'presence-', 'cache,subscription_count', '1', ''),
      fc.string(),
    );
    return expectDocumentedFor(
      fc.record({
        method: fc.constant('GET'),
        path: readPath,
        query: fc.array(fc.tuple(name, value), { maxLength: 4 }),
      }),
    );
  });

  it('answers any path, with any method', () =>
    expectDocumentedFor(
      fc.record({
        method: fc.constantFrom('GET', 'GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND'),
        path: fc.oneof(
          garbage.map((text) => `/${text}`),
          garbage.map((text) => `/apps/${text}`),
          garbage.map((text) => `/apps/1/${text}`),
          garbage.map((text) => `/apps/1/channels/${text}`),
          fc.tuple(garbage, fc.constantFrom('users', 'events')).map(([text, end]) => `/apps/1/channels/${text}/${end}`),
          garbage.map((text) => `/apps/1/users/${text}/terminate_connections`),
        ),
      }),
    ));

  it('answers a valid path of which any character is percent-encoded', () => {
    const paths = ['/apps/1/events', '/apps/1/batch_events', '/apps/1/users/1/terminate_connections'];
    return expectDocumentedFor(
      fc.tuple(fc.constantFrom(...paths), fc.nat(30)).map(([path, at]) => ({
        path: path.replace(
          new RegExp(`^(.{${(at % (path.length - 1)) + 1}})(.)`),
          (_, before: string, char: string) => {
            return `${before}%${char.charCodeAt(0).toString(16)}`;
          },
        ),
        body: '{"name":"a","channel":"a","data":"a","batch":[]}',
      })),
    );
  });

  it('answers a publish the same whatever its headers say about the body', async () => {
    const header = fc.stringMatching(/^[!-~]{1,20}$/);
    const body = '{"name":"a","channel":"a","data":"a"}';
    await fc.assert(
      fc.asyncProperty(header, header, header, async (type, encoding, accept) => {
        const headers = { 'Content-Type': type, 'Content-Encoding': encoding, Accept: accept, 'Accept-Version': type };
        const answer = await http.send({ path: '/apps/1/events', body, headers });
        expect(answer).toMatchObject({ status: 200, text: '{}' });
      }),
      RUNS,
    );
  });

  it('refuses any request of which one character of the signature is changed', async () => {
    const body = '{"name":"a","channel":"a","data":"a"}';
    await fc.assert(
      fc.asyncProperty(fc.nat(63), fc.constantFrom(...'0123456789abcdefg'), async (at, char) => {
        const target = signedTarget({ path: '/apps/1/events', body });
        const start = target.indexOf('auth_signature=') + 15 + at;
        fc.pre(target[start] !== char);
        const changed = target.slice(0, start) + char + target.slice(start + 1);
        const answer = await http.send({ path: '', body }, changed);
        expectDocumented(answer);
        // After a hundred of them the address is told to wait.
        expect([401, 429]).toContain(answer.status);
      }),
      RUNS,
    );
  });
});
