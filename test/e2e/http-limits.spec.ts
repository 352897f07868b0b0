import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { TestGateway } from '../support/gateway.js';
import type { Client } from '../support/client.js';
import type { HttpApi } from '../support/http-api.js';

const EVENT = { name: 'my-event', channel: 'news', data: 'x' };

let gateway: TestGateway;
let http: HttpApi;
let reader: Client;
beforeAll(async () => {
  gateway = await TestGateway.start();
  http = gateway.http;
  reader = await gateway.connect();
  await reader.subscribe('news');
});
afterAll(() => gateway.stop());

/** Expects a refusal: exactly this status, a sentence that names `what`, and the publish status when there is one. */
async function expectRefused(path: string, body: unknown, status: number, what: RegExp, publishStatus?: number) {
  const answer = await http.post(path, body);
  expect(answer.status).toBe(status);
  expect(answer.body).toEqual({
    error: expect.stringMatching(what) as string,
    ...(publishStatus === undefined ? {} : { status: publishStatus }),
  });
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  // Whatever is refused is refused as a whole.
  await reader.settle();
  expect(reader.count('my-event')).toBe(0);
}

describe('400 is answered to', () => {
  it.each(['{', '', 'name=my-event', "{'name':'x'}", '{"name":"x",}'])('the malformed JSON %j', async (text) => {
    await expectRefused('/events', text, 400, /JSON/);
    await expectRefused('/batch_events', text, 400, /JSON/);
  });

  it.each(['', 'a b', 'a/b', 'räume', '#news', 'private-a:b', 'news\n', '#server-to-user-'])(
    'the channel name %j, alone and among others',
    async (channel) => {
      await expectRefused('/events', { ...EVENT, channel }, 400, /[Cc]hannel name/, 7);
      await expectRefused('/events', { ...EVENT, channels: ['news', channel] }, 400, /[Cc]hannel name/, 7);
    },
  );

  it.each(['1', 'a.b', '1.2.3', '1.2:private-a', ' 1.2'])('the socket_id %j', async (socket_id) => {
    const { status, body } = await http.post('/events', { ...EVENT, socket_id });
    expect([status, body]).toMatchObject([400, { error: expect.stringContaining('socket_id') as string }]);
    await reader.settle();
    expect(reader.count('my-event')).toBe(0);
  });

  it('101 channels, although 100 are fine', async () => {
    const channels = Array.from({ length: 100 }, (_, i) => `channel-${i}`);
    expect(await http.publish(channels, 'my-event', 'x')).toMatchObject({ status: 200, body: {} });
    const { status, body } = await http.publish([...channels, 'news'], 'my-event', 'x');
    expect([status, body]).toMatchObject([400, { error: expect.stringMatching(/\b100\b/) as string }]);
  });

  it('a batch of 11 events, although 10 are fine', async () => {
    const batch = Array.from({ length: 10 }, (_, i) => ({ ...EVENT, channel: `channel-${i}` }));
    expect(await http.post('/batch_events', { batch })).toMatchObject({ status: 200, body: {} });
    const { status, body } = await http.post('/batch_events', { batch: [...batch, EVENT] });
    expect([status, body]).toMatchObject([
      400,
      { error: expect.stringMatching(/^Batch too large\. .*\b10\b/) as string },
    ]);
  });
});

describe('422 is answered to', () => {
  it.each<[what: string, body: unknown, named: RegExp]>([
    ['no name', { channel: 'news', data: 'x' }, /\bname\b/],
    ['an empty name', { ...EVENT, name: '' }, /\bname\b/],
    ['a name that is a number', { ...EVENT, name: 1 }, /\bname\b/],
    ['a name that is null', { ...EVENT, name: null }, /\bname\b/],
    ['the name of an event of the server', { ...EVENT, name: 'pusher:error' }, /\bname\b/],
    ['an internal name', { ...EVENT, name: 'pusher_internal:member_added' }, /\bname\b/],
    ['no data', { name: 'my-event', channel: 'news' }, /\bdata\b/],
    ['data that is null', { ...EVENT, data: null }, /\bdata\b/],
    ['empty data', { ...EVENT, data: '' }, /\bdata\b/],
    ['a channel that is a number', { ...EVENT, channel: 7 }, /\bchannel\b/],
    ['a channel that is a list', { ...EVENT, channel: ['news'] }, /\bchannel\b/],
    ['a socket_id that is a number', { ...EVENT, socket_id: 1.2 }, /\bsocket_id\b/],
    ['info that is a list', { ...EVENT, info: ['user_count'] }, /\binfo\b/],
  ])('%s, which is named, also in a batch', async (_what, body, named) => {
    for (const [path, sent] of [
      ['/events', body],
      ['/batch_events', { batch: [EVENT, body] }],
    ] as const) {
      const answer = await http.post(path, sent);
      expect([answer.status, answer.body]).toMatchObject([422, { error: expect.stringMatching(named) as string }]);
    }
    await reader.settle();
    expect(reader.count('my-event')).toBe(0);
  });

  it.each(['null', '[]', '"x"', '1', 'true'])('the body %s, which is no object', async (text) => {
    await expectRefused('/events', text, 422, /object/);
    await expectRefused('/batch_events', text, 422, /object/);
  });

  it.each([{}, { batch: null }, { batch: {} }, { batch: 'x' }])('the batch %j', async (body) => {
    await expectRefused('/batch_events', body, 422, /\bbatch\b/);
  });

  it.each([[[]], [['x', 7]], ['news'], [{ 0: 'news' }], [null]])(
    'the channels %j, which are no list of at least one text, with status 7',
    async (channels) => {
      await expectRefused('/events', { name: 'my-event', data: 'x', channels }, 422, /\bchannels\b/, 7);
    },
  );

  it('no channel at all, with status 7', async () => {
    await expectRefused('/events', { name: 'my-event', data: 'x' }, 422, /channel/, 7);
  });

  it.each([null, 7, 'x', []])('the batch item %j, whose place is named', async (item) => {
    await expectRefused('/batch_events', { batch: [EVENT, item] }, 422, /1/);
  });

  it('a channel name of 201 bytes with status 2, although 200 are fine', async () => {
    expect((await http.publish('a'.repeat(200), 'my-event', 'x')).status).toBe(200);
    await expectRefused('/events', { ...EVENT, channels: ['news', 'a'.repeat(201)] }, 422, /[Cc]hannel.*\b200\b/, 2);
    await expectRefused('/events', { ...EVENT, channel: 'ä'.repeat(101) }, 422, /\b200\b/, 2);
  });

  it('the channel of a user whose id has 129 bytes, and the limit that is named is that of user ids', async () => {
    expect((await http.publish(`#server-to-user-${'a'.repeat(128)}`, 'my-event', 'x')).status).toBe(200);
    const channels = ['news', `#server-to-user-${'a'.repeat(129)}`];
    await expectRefused('/events', { ...EVENT, channels }, 422, /\b128\b/, 2);
  });

  it('an event name of 201 bytes with status 3, although 200 are fine', async () => {
    expect((await http.publish('elsewhere', 'é'.repeat(100), 'x')).status).toBe(200);
    await expectRefused('/events', { ...EVENT, name: 'a'.repeat(201) }, 422, /event name.*\b200\b/, 3);
    await expectRefused('/events', { ...EVENT, name: `${'é'.repeat(100)}a` }, 422, /event name.*\b200\b/, 3);
  });

  it('a channel name of 201 bytes when it is asked about', async () => {
    for (const path of [`/channels/${'a'.repeat(201)}`, `/channels/presence-${'a'.repeat(192)}/users`]) {
      const { status, body } = await http.get(path);
      expect([status, body]).toEqual([422, { error: expect.stringMatching(/\b200\b/) as string }]);
    }
  });
});

describe('413 is answered to', () => {
  const SENTENCE = /^The data content of this event exceeds the allowed maximum \(262144 bytes\)$/;

  it.each<[what: string, fitting: unknown, larger: unknown]>([
    ['ASCII', 'a'.repeat(262_144), 'a'.repeat(262_145)],
    ['text with umlauts', 'é'.repeat(131_072), `${'é'.repeat(131_072)}a`],
    ['an object', { a: 'x'.repeat(262_136) }, { a: 'x'.repeat(262_137) }],
  ])('one byte of data too many (%s), with status 4', async (_what, fitting, larger) => {
    expect((await http.publish('elsewhere', 'my-event', fitting)).status).toBe(200);
    await expectRefused('/events', { ...EVENT, data: larger }, 413, SENTENCE, 4);
  });

  it('too much data in one event of a batch, with its place and status 4', async () => {
    const batch = [EVENT, { ...EVENT, data: 'a'.repeat(262_145) }];
    await expectRefused('/batch_events', { batch }, 413, /1.*The data content of this event .* \(262144 bytes\)$/, 4);
  });

  it('one byte of body too many', async () => {
    const small = await TestGateway.start({ settings: { max_body_bytes: '100' } });
    onTestFinished(() => small.stop());
    const body = JSON.stringify(EVENT).padEnd(100);
    expect(await small.http.post('/events', body)).toMatchObject({ status: 200, body: {} });
    const { status, body: answer } = await small.http.post('/events', `${body} `);
    expect([status, answer]).toMatchObject([413, { error: expect.stringMatching(/\b100 bytes\b/) as string }]);
  });
});

describe('Nothing is published', () => {
  it.each<[what: string, wrong: object]>([
    ['an invalid channel', { channel: 'a b' }],
    ['a channel that is too long', { channel: 'a'.repeat(201) }],
    ['a reserved name', { name: 'pusher:x' }],
    ['a name that is too long', { name: 'a'.repeat(201) }],
    ['too much data', { data: 'a'.repeat(262_145) }],
    ['no data', { data: null }],
    ['a bad socket_id', { socket_id: 'x' }],
  ])('when the last event of a batch has %s', async (_what, wrong) => {
    const { status, body } = await http.post('/batch_events', { batch: [EVENT, EVENT, { ...EVENT, ...wrong }] });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(body).toMatchObject({ error: expect.stringContaining('2') as string });
    await reader.settle();
    expect(reader.count('my-event')).toBe(0);
  });
});

describe('The limits that were set', () => {
  it('are those that are kept and named', async () => {
    const settings = {
      max_event_bytes: '5',
      max_event_name_length: '6',
      max_channel_name_length: '7',
      max_channels_per_event: '2',
      max_batch_size: '3',
    };
    const strict = await TestGateway.start({ settings });
    onTestFinished(() => strict.stop());
    const refusal = async (path: string, body: unknown) => {
      const answer = await strict.http.post(path, body);
      return [answer.status, (answer.body as { error?: string }).error];
    };
    const event = { name: 'name-6', channel: 'chann-7', data: 'dat-5' };
    expect(await refusal('/events', event)).toEqual([200, undefined]);
    expect(await refusal('/events', { ...event, data: 'data-6' })).toEqual([413, expect.stringContaining('(5 bytes)')]);
    expect(await refusal('/events', { ...event, name: 'names-7' })).toEqual([
      422,
      expect.stringContaining('(6 bytes)'),
    ]);
    expect(await refusal('/events', { ...event, channel: 'channe-8' })).toEqual([
      422,
      expect.stringContaining('(7 bytes)'),
    ]);
    expect(await refusal('/events', { ...event, channels: ['a', 'b'] })).toEqual([400, expect.stringMatching(/\b2\b/)]);
    expect(await refusal('/batch_events', { batch: [event, event, event, event] })).toEqual([
      400,
      expect.stringMatching(/\b3\b/),
    ]);
  });
});
