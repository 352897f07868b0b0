import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dataOf } from '../support/client.js';
import { TestGateway } from '../support/gateway.js';
import { expectDocumented, RawHttp, signedTarget, type RawAnswer } from '../support/raw-request.js';
import { expectServed } from '../support/well-behaved.js';

const DEEP = 100_000;
const EVENT = { name: 'event', channel: 'room', data: 'text' };
const BODY = JSON.stringify(EVENT);

describe('a hostile body', () => {
  let gateway: TestGateway;
  let http: RawHttp;
  const complaints: string[] = [];

  beforeAll(async () => {
    const error = (text: unknown) => complaints.push(String(text));
    gateway = await TestGateway.start({ logger: { log: () => undefined, warn: () => undefined, error } });
    http = new RawHttp(gateway.port);
  });
  afterEach(async () => {
    expect(complaints.splice(0)).toEqual([]);
    expect(Object.keys(Object.prototype)).toEqual([]);
    await expectServed(gateway);
  });
  afterAll(async () => {
    http.close();
    await gateway.stop();
  });

  async function publish(body: string | Buffer, headers: Record<string, string> = {}): Promise<RawAnswer> {
    const answer = await http.send({ path: '/apps/1/events', body, headers });
    expectDocumented(answer);
    return answer;
  }

  it.each<[string, number, string | Buffer]>([
    ['nothing', 400, ''],
    ['half an object', 400, '{"name":'],
    ['two objects', 400, BODY + BODY],
    [
      'a byte that is no UTF-8',
      400,
      Buffer.concat([Buffer.from(BODY.slice(0, -2)), Buffer.from([0xff]), Buffer.from('"}')]),
    ],
    ['UTF-16', 400, Buffer.from(BODY, 'utf16le')],
    ['zeros', 400, Buffer.alloc(1_000)],
    ['a form', 400, 'name=event&channel=room&data=text'],
    ['null', 422, 'null'],
    ['a number', 422, '7'],
    ['a string', 422, '"event"'],
    ['an array', 422, `[${BODY}]`],
    ['a hundred thousand nested arrays', 422, '['.repeat(DEEP) + ']'.repeat(DEEP)],
    ['only a prototype', 422, `{"__proto__":${BODY}}`],
    ['only a constructor', 422, `{"constructor":{"prototype":${BODY}}}`],
  ])('that is %s is refused with %i', async (_what, status, body) => {
    expect(await publish(body)).toMatchObject({ status });
  });

  it.each<[string, number, object]>([
    ['a number as channel', 422, { channel: 7 }],
    ['an object as channel', 422, { channel: {} }],
    ['an array as channel', 422, { channel: ['room'] }],
    ['numbers as channels', 422, { channels: [1, 2] }],
    ['a string as channels', 422, { channels: 'room' }],
    ['an object as channels', 422, { channels: { 0: 'room' } }],
    ['nested channels', 422, { channels: [['room']] }],
    ['no channel at all', 422, { channel: undefined }],
    ['an empty list of channels', 422, { channel: undefined, channels: [] }],
    ['an array as name', 422, { name: ['event'] }],
    ['an empty name', 422, { name: '' }],
    ['a name of the server', 422, { name: 'pusher_internal:member_added' }],
    ['no data', 422, { data: undefined }],
    ['null as data', 422, { data: null }],
    ['an object as socket_id', 422, { socket_id: { $ne: '' } }],
    ['a made-up socket_id', 400, { socket_id: '1.2; DROP TABLE' }],
    ['an array as info', 422, { info: ['user_count'] }],
    ['a name with a line break', 400, { channel: 'room\n' }],
    ['a path as channel', 400, { channel: '../../etc/passwd' }],
    ['an empty channel', 400, { channel: '' }],
    ['a nameless user as channel', 400, { channel: '#server-to-user-' }],
    ['a channel that is too long', 422, { channel: 'a'.repeat(201) }],
    ['a name that is too long', 422, { name: 'é'.repeat(101) }],
    ['more than a hundred channels', 400, { channels: Array.from({ length: 101 }, (_, i) => `room-${i}`) }],
    ['a list of numbers', 422, { channels: Array.from({ length: 100 }, (_, i) => i) }],
    ['a list of ten thousand numbers', 400, { channels: Array.from({ length: 10_000 }, (_, i) => i) }],
  ])('with %s is refused with %i', async (_what, status, change) => {
    expect(await publish(JSON.stringify({ ...EVENT, ...change }))).toMatchObject({ status });
  });

  it.each<[string, number, unknown]>([
    ['that is no list', 422, { batch: EVENT }],
    ['of strings', 422, { batch: ['event'] }],
    ['with one event that is wrong', 422, { batch: [EVENT, { ...EVENT, channel: 7 }] }],
    ['of eleven events', 400, { batch: Array.from({ length: 11 }, () => EVENT) }],
    ['of a hundred thousand numbers', 400, { batch: Array.from({ length: DEEP }, (_, i) => i) }],
  ])('with a batch %s is refused with %i, and none of it is published', async (_what, status, batch) => {
    const client = await gateway.connect();
    await client.subscribe('room');
    const answer = await http.send({ path: '/apps/1/batch_events', body: JSON.stringify(batch) });
    expectDocumented(answer);
    expect(answer.status).toBe(status);
    expect(await client.settle()).toHaveLength(2);
    await client.disconnect();
  });

  it('may hold data nested a hundred thousand times as a string, and not as an array', async () => {
    const client = await gateway.connect();
    await client.subscribe('room');
    const deep = '['.repeat(DEEP) + ']'.repeat(DEEP);
    expect(await publish(JSON.stringify({ ...EVENT, data: deep }))).toMatchObject({ status: 200 });
    expect((await client.receive('event')).data).toBe(deep);
    expect(await publish(`{"name":"event","channel":"room","data":${deep}}`)).toMatchObject({ status: 422 });
    await client.disconnect();
  });

  it('may hold __proto__ in its data, which arrives as it was sent', async () => {
    const client = await gateway.connect();
    await client.subscribe('room');
    const data = '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}';
    expect(await publish(`{"name":"event","channel":"room","data":${data}}`)).toMatchObject({ status: 200 });
    expect((await client.receive('event')).data).toBe(data);
    await client.disconnect();
  });

  it('over the limit is refused with 413, whether its length is announced or not', async () => {
    const body = JSON.stringify({ ...EVENT, data: 'x'.repeat(2_097_152) });
    expect(await publish(body)).toMatchObject({ status: 413 });
    expect(await sendChunked(body)).toMatchObject({ status: 413 });
  });

  it('within the limit whose data is over the limit is refused with 413', async () => {
    expect(await publish(JSON.stringify({ ...EVENT, data: 'x'.repeat(262_145) }))).toMatchObject({ status: 413 });
    expect(await publish(JSON.stringify({ ...EVENT, data: 'x'.repeat(262_144) }))).toMatchObject({ status: 200 });
  });

  it('in chunks is as good as one with a length', async () => {
    expect(await sendChunked(BODY)).toMatchObject({ status: 200, text: '{}' });
  });

  it('that is compressed is taken as the bytes it is, and refused', async () => {
    expect(await publish(gzipSync(BODY), { 'Content-Encoding': 'gzip' })).toMatchObject({ status: 400 });
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', ';;;', 'application/json; charset=latin1', '\u00e9'])(
    'is read as JSON in UTF-8 though its type is %s, and refused when it is not signed',
    async (type) => {
      const headers = { 'Content-Type': type };
      expect(await publish(BODY, headers)).toMatchObject({ status: 200 });
      const unsigned = await http.send({ path: '', body: BODY, headers }, signedTarget({ path: '/apps/1/events' }));
      expectDocumented(unsigned);
      expect(unsigned).toMatchObject({
        status: 401,
        text: '{"error":"authentication signature invalid: digest"}',
      });
    },
  );

  it('in presence of a user called __proto__ changes nobody’s prototype', async () => {
    const client = await gateway.connect();
    const acknowledged = await client.subscribe('presence-room', { user_id: '__proto__', user_info: { admin: true } });
    expect(acknowledged.data).toContain('"hash":{"__proto__":{"admin":true}}');
    const other = await gateway.connect();
    const joined = dataOf(await other.subscribe('presence-room', { user_id: 'constructor' }));
    expect(joined).toMatchObject({ presence: { count: 2, ids: ['__proto__', 'constructor'] } });
    const users = await http.send({ method: 'GET', path: '/apps/1/channels/presence-room/users' });
    expect(JSON.parse(users.text)).toEqual({ users: [{ id: '__proto__' }, { id: 'constructor' }] });
    const ended = await http.send({ path: '/apps/1/users/__proto__/terminate_connections' });
    expect(ended).toMatchObject({ status: 200, text: '{}' });
    expect(await client.closing()).toMatchObject({ code: 4009 });
    expect(dataOf(await other.receive('pusher_internal:member_removed'))).toEqual({ user_id: '__proto__' });
    await other.disconnect();
  });

  it.each(['__proto__', 'constructor', 'toString', '0'])(
    'may name a channel %s, which works end to end',
    async (channel) => {
      const client = await gateway.connect();
      await client.subscribe(channel);
      const info = { ...EVENT, channels: [channel], channel: undefined, info: 'subscription_count' };
      expect(await publish(JSON.stringify(info))).toMatchObject({
        text: `{"channels":{"${channel}":{"subscription_count":1}}}`,
      });
      expect(await client.receive('event')).toEqual({ event: 'event', channel, data: 'text' });
      const list = await http.send({ method: 'GET', path: '/apps/1/channels' });
      expect(list.text).toContain(`"${channel}":{}`);
      const one = await http.send({ method: 'GET', path: `/apps/1/channels/${channel}` });
      expect(one.text).toBe('{"occupied":true}');
      await client.disconnect();
    },
  );

  function sendChunked(body: string): Promise<RawAnswer> {
    const headers = { 'Transfer-Encoding': 'chunked' };
    return http.send({ path: '/apps/1/events', body, headers });
  }
});
