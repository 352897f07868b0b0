import fc from 'fast-check';
import { signChannel, signUser } from '@pogo/pusher-protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dataOf, type Client, type Message } from '../support/client.js';
import { APP, TestGateway } from '../support/gateway.js';
import { expectServed } from '../support/well-behaved.js';

const DEEP = 100_000;
const DEEP_ARRAY = '['.repeat(DEEP) + ']'.repeat(DEEP);
const DEEP_OBJECT = '{"a":'.repeat(DEEP / 4) + '1' + '}'.repeat(DEEP / 4);
const TOO_LONG = expect.stringContaining('200 bytes') as string;
const INVALID = { event: 'pusher:error', data: { code: 4200, message: 'Invalid message format' } };

/** Everything that the protocol document lets a server say to a client that sends messages. */
const DOCUMENTED = [
  'pusher:pong',
  'pusher:error',
  'pusher:subscription_error',
  'pusher:signin_success',
  'pusher:cache_miss',
  'pusher_internal:subscription_succeeded',
];
const ERROR_CODES = [4009, 4200, 4301];

describe('a hostile message', () => {
  let gateway: TestGateway;
  let client: Client;
  const complaints: string[] = [];

  beforeAll(async () => {
    const error = (text: unknown) => complaints.push(String(text));
    const logger = { log: () => undefined, warn: () => undefined, error };
    gateway = await TestGateway.start({ settings: { client_msg_rate_limit: '-1' }, logger });
  });
  beforeEach(async () => {
    client = await gateway.connect();
  });
  afterEach(async () => {
    await client.disconnect();
    expect(complaints.splice(0)).toEqual([]);
    expect(Object.keys(Object.prototype)).toEqual([]);
    await expectServed(gateway);
  });
  afterAll(() => gateway.stop());

  /** What the server says to `messages`, all of it: messages are handled in order, so the subscription is the last. */
  async function answersTo(...messages: (object | string)[]): Promise<Message[]> {
    const before = client.received.length;
    for (const message of messages) client.send(message);
    const last = await client.subscribe('in-order');
    return client.received.slice(before, client.received.indexOf(last));
  }

  it.each<[string, string]>([
    ['nothing', ''],
    ['white space', ' \n\t'],
    ['half an object', '{"event":"pusher:subscribe"'],
    ['two objects', '{}{}'],
    ['a byte order mark before an object', '\ufeff{"event":"pusher:subscribe","data":{"channel":"a"}}'],
    ['zeros', '\u0000\u0000'],
    ['null', 'null'],
    ['a number', '7'],
    ['a string', '"pusher:ping"'],
    ['an array', '[{"event":"pusher:subscribe","data":{"channel":"a"}}]'],
    ['an empty object', '{}'],
    ['an event that is a number', '{"event":7}'],
    ['an event that is an array', '{"event":["pusher:subscribe"],"data":{"channel":"a"}}'],
    ['an event that is an object', '{"event":{"toString":"pusher:subscribe"},"data":{"channel":"a"}}'],
    ['an event of the prototype', '{"event":"__proto__"}'],
    ['an event of the server', '{"event":"pusher_internal:subscription_succeeded","channel":"a","data":"{}"}'],
    ['an event that nobody knows', '{"event":"pusher:everything"}'],
    ['an event with a space', '{"event":"pusher:subscribe ","data":{"channel":"a"}}'],
    ['an event named client- and no more', '{"event":"client-","channel":"a"}'],
    ['an object behind a prototype', '{"__proto__":{"event":"pusher:subscribe","data":{"channel":"a"}}}'],
    ['data behind a prototype', '{"event":"pusher:subscribe","data":{"__proto__":{"channel":"a"}}}'],
    ['a subscription to nothing', '{"event":"pusher:subscribe"}'],
    ['a subscription to null', '{"event":"pusher:subscribe","data":null}'],
    ['a subscription to a number', '{"event":"pusher:subscribe","data":{"channel":7}}'],
    ['a subscription to an array', '{"event":"pusher:subscribe","data":{"channel":["a"]}}'],
    ['a subscription in an array', '{"event":"pusher:subscribe","data":[{"channel":"a"}]}'],
    ['a subscription to an object', '{"event":"pusher:subscribe","data":{"channel":{"name":"a"}}}'],
    ['a subscription with a number as auth', '{"event":"pusher:subscribe","data":{"channel":"a","auth":1}}'],
    [
      'a subscription with an object as channel_data',
      '{"event":"pusher:subscribe","data":{"channel":"a","channel_data":{}}}',
    ],
    ['an unsubscription from a number', '{"event":"pusher:unsubscribe","data":{"channel":7}}'],
    ['a sign-in without anything', '{"event":"pusher:signin","data":{}}'],
    ['a sign-in with objects', '{"event":"pusher:signin","data":{"auth":"a","user_data":{"id":"1"}}}'],
    ['a client event without a channel', '{"event":"client-x","data":{}}'],
    ['a client event to a number', '{"event":"client-x","channel":7}'],
    ['a hundred thousand nested arrays', DEEP_ARRAY],
    ['twenty-five thousand nested objects', DEEP_OBJECT],
    ['a channel of nested arrays', `{"event":"pusher:subscribe","data":{"channel":${DEEP_ARRAY}}}`],
    ['an event of nested objects', `{"event":${DEEP_OBJECT}}`],
    ['data of nested texts', `{"event":"pusher:subscribe","data":${JSON.stringify(`{"channel":${DEEP_OBJECT}}`)}}`],
  ])('of %s is answered with 4200, and the connection stays', async (_what, text) => {
    expect(await answersTo(text)).toEqual([INVALID]);
  });

  it.each<[string, string, string]>([
    ['nothing', '', 'Invalid channel name'],
    ['a space', ' ', 'Invalid channel name'],
    ['two words', 'a b', 'Invalid channel name'],
    ['a path', 'a/b', 'Invalid channel name'],
    ['a zero', 'a\u0000', 'Invalid channel name'],
    ['half a character', '\ud800', 'Invalid channel name'],
    ['a nameless user', '#server-to-user-', 'Invalid channel name'],
    ['a hash', '#', 'Invalid channel name'],
    ['201 letters', 'a'.repeat(201), TOO_LONG],
    ['60,000 letters', 'a'.repeat(60_000), TOO_LONG],
  ])('that subscribes to %s is refused as InvalidChannel', async (_what, channel, error) => {
    expect(await answersTo({ event: 'pusher:subscribe', data: { channel } })).toEqual([
      { event: 'pusher:error', data: { code: 4009, message: `Subscription to ${channel} rejected` } },
      { event: 'pusher:subscription_error', channel, data: { type: 'InvalidChannel', error, status: 400 } },
    ]);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['no JSON', '{'],
    ['null', 'null'],
    ['an array', '[{"user_id":"1"}]'],
    ['no user_id', '{"user_info":{}}'],
    ['an empty user_id', '{"user_id":""}'],
    ['an infinite user_id', '{"user_id":1e400}'],
    ['an object as user_id', '{"user_id":{"id":1}}'],
    ['an array as user_id', '{"user_id":["1"]}'],
    ['a user_id behind a prototype', '{"__proto__":{"user_id":"1"}}'],
    ['nested arrays', DEEP_ARRAY],
    ['nested arrays as user_id', `{"user_id":${DEEP_ARRAY}}`],
  ])('that joins a presence channel with %s, signed, is refused as AuthError', async (_what, channelData) => {
    const auth = signChannel(APP, client.socketId, 'presence-a', channelData === '' ? undefined : channelData);
    const data = { channel: 'presence-a', auth, channel_data: channelData };
    expect(await answersTo({ event: 'pusher:subscribe', data })).toMatchObject([
      { event: 'pusher:error', data: { code: 4009 } },
      { event: 'pusher:subscription_error', data: { type: 'AuthError', status: 401 } },
    ]);
  });

  it('that joins a presence channel with a user_info of nested arrays is refused as LimitReached', async () => {
    const channelData = `{"user_id":"1","user_info":${DEEP_ARRAY}}`;
    const auth = signChannel(APP, client.socketId, 'presence-a', channelData);
    const data = { channel: 'presence-a', auth, channel_data: channelData };
    expect(await answersTo({ event: 'pusher:subscribe', data })).toMatchObject([
      { event: 'pusher:error', data: { code: 4009 } },
      { event: 'pusher:subscription_error', data: { type: 'LimitReached', status: 403 } },
    ]);
  });

  it.each<[string, string]>([
    ['no JSON', 'x'],
    ['a number as id', '{"id":7}'],
    ['an empty id', '{"id":""}'],
    ['an id that is too long', JSON.stringify({ id: 'é'.repeat(65) })],
    ['an id behind a prototype', '{"__proto__":{"id":"1"}}'],
    ['a watchlist of numbers', '{"id":"1","watchlist":[1]}'],
    ['a watchlist that is an object', '{"id":"1","watchlist":{"length":1}}'],
    ['nested arrays', DEEP_ARRAY],
  ])('that signs in with %s, signed, is answered with 4009, and the connection stays', async (_what, userData) => {
    const data = { auth: signUser(APP, client.socketId, userData), user_data: userData };
    expect(await answersTo({ event: 'pusher:signin', data })).toEqual([
      { event: 'pusher:error', data: { code: 4009, message: 'Signin authentication failed' } },
    ]);
  });

  it('with hostile data for others reaches them to the last character', async () => {
    const other = await gateway.connect();
    await client.subscribe('private-a');
    await other.subscribe('private-a');
    const seen: string[] = [];
    other.socket.on('message', (text) => seen.push(String(text)));
    const values = [DEEP_ARRAY, DEEP_OBJECT, '{"__proto__":{"admin":true}}', '1e400', '"\\ud800"', '"<\\/script>"'];
    for (const value of values) {
      client.send(`{"event":"client-x","channel":"private-a","data":${value}}`);
      await other.receive('client-x');
    }
    expect(seen).toEqual(values.map((value) => `{"event":"client-x","channel":"private-a","data":${value}}`));
    await other.disconnect();
  });

  it('about a user called __proto__ reaches that user and changes nobody’s prototype', async () => {
    const user = await gateway.connect();
    expect(await user.signin({ id: '__proto__', user_info: { admin: true } })).toMatchObject({
      event: 'pusher:signin_success',
    });
    await user.subscribe('#server-to-user-__proto__');
    const joined = await user.subscribe('presence-a', { user_id: '__proto__', user_info: { admin: true } });
    expect(joined.data).toBe('{"presence":{"count":1,"ids":["__proto__"],"hash":{"__proto__":{"admin":true}}}}');
    expect((await gateway.http.publish('#server-to-user-__proto__', 'hello', 'you')).status).toBe(200);
    expect(await user.receive('hello')).toMatchObject({ data: 'you' });
    await user.disconnect();
  });

  it('of any kind is answered with documented events, and the connection stays', async () => {
    const fuzzed = await gateway.connect();
    const field = fc.oneof(
      fc.constantFrom('a', 'private-a', 'presence-a', 'cache-a', '__proto__'),
      fc.json(),
      fc.string(),
    );
    const payload = fc.dictionary(fc.constantFrom('channel', 'auth', 'channel_data', 'user_data', '__proto__'), field);
    const events = [
      'pusher:subscribe',
      'pusher:unsubscribe',
      'pusher:signin',
      'client-x',
      'pusher:ping',
      'pusher:pong',
    ];
    const message = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({ event: fc.constantFrom(...events), channel: field, data: fc.oneof(payload, field) })
        .map((value) => JSON.stringify(value)),
    );
    await fc.assert(
      fc.asyncProperty(message, async (text) => {
        const before = fuzzed.received.length;
        fuzzed.send(text);
        await fuzzed.settle();
        for (const { event, data } of fuzzed.received.slice(before)) {
          expect(DOCUMENTED).toContain(event);
          if (event === 'pusher:error') expect(ERROR_CODES).toContain((data as { code: number }).code);
          if (event.startsWith('pusher_internal:')) expect(dataOf({ event, data })).toBeTypeOf('object');
        }
      }),
      { numRuns: 1_000 },
    );
    await fuzzed.disconnect();
  });
});
