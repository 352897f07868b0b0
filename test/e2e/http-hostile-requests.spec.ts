import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../support/gateway.js';
import {
  exchange,
  expectDocumented,
  expectRefusal,
  RawHttp,
  signedTarget,
  type RawAnswer,
} from '../support/raw-request.js';
import { RawSocket } from '../support/raw-socket.js';
import { expectServed } from '../support/well-behaved.js';

const BODY = '{"name":"event","channel":"room","data":"text"}';

describe('a hostile HTTP request', () => {
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
    await expectServed(gateway);
  });
  afterAll(async () => {
    http.close();
    await gateway.stop();
  });

  /** A signed publish as text, with the headers that follow `Host`. */
  function publish(headers: readonly string[], body = BODY, target = signedTarget({ path: '/apps/1/events', body })) {
    return [`POST ${target} HTTP/1.1`, 'Host: localhost', ...headers, '', body].join('\r\n');
  }

  it.each([
    ['GET', '/apps/1/events', 405, 'POST'],
    ['PUT', '/apps/1/events', 405, 'POST'],
    ['HEAD', '/apps/1/events', 405, 'POST'],
    ['OPTIONS', '/apps/1/events', 405, 'POST'],
    ['DELETE', '/apps/1/channels', 405, 'GET, HEAD'],
    ['POST', '/apps/1/channels/a', 405, 'GET, HEAD'],
    ['PATCH', '/apps/1/channels/presence-a/users', 405, 'GET, HEAD'],
    ['GET', '/apps/1/users/1/terminate_connections', 405, 'POST'],
    ['POST', '/up', 405, 'GET, HEAD'],
    ['HEAD', '/apps/1/channels', 200, undefined],
    ['OPTIONS', '/nowhere', 404, undefined],
    ['PROPFIND', '/apps', 404, undefined],
    ['GET', '/apps/1', 404, undefined],
    ['GET', '/APPS/1/channels', 404, undefined],
    ['GET', '/apps/2/channels', 404, undefined],
    ['GET', '/apps/__proto__/channels', 404, undefined],
    ['GET', '/apps/1%00/channels', 404, undefined],
  ])('%s %s is answered with %i', async (method, path, status, allow) => {
    const answer = await http.send({ method, path });
    expectDocumented(answer, method);
    expect({ status: answer.status, allow: answer.headers.allow }).toEqual({ status, allow });
  });

  it.each([
    ['half an object', 'application/json', '{'],
    ['a prototype', 'application/json', '{"__proto__":{"admin":true}}'],
    ['nothing at all', 'application/json', ''],
    ['a megabyte of text', 'text/plain', 'x'.repeat(1_100_000)],
    ['XML', 'text/xml', '<a/>'],
    ['of no type', ';;;', '{}'],
  ])('for no route is answered with 404 though its body is %s', async (_what, type, body) => {
    const answer = await http.send({ path: '/nowhere', body, headers: { 'Content-Type': type } });
    expectDocumented(answer);
    expect(answer.status).toBe(404);
  });

  it.each(['%', '%zz', '%c3%28', '%f0%9f', '%u0041', 'a%', '%ff/users'])(
    'for a channel called %s, which no URL may hold, is answered with 400',
    async (channel) => {
      const answer = await http.send({ method: 'GET', path: `/apps/1/channels/${channel}` });
      expectDocumented(answer, 'GET');
      expect(answer.status).toBe(400);
    },
  );

  it.each([
    ['a zero', '%00', 400],
    ['an encoded slash', 'a%2Fb', 400],
    ['the way out', '%2e%2e%2f', 400],
    ['an encoded prototype', '%5F%5Fproto%5F%5F', 200],
    ['an emoji', '%F0%9F%92%A5', 400],
    ['201 letters', 'a'.repeat(201), 422],
    ['1,500 letters', 'a'.repeat(1_500), 422],
  ])('for a channel called like %s is answered as documented', async (_what, channel, status) => {
    const answer = await http.send({ method: 'GET', path: `/apps/1/channels/${channel}` });
    expectDocumented(answer, 'GET');
    expect(answer.status).toBe(status);
  });

  it('whose path is percent-encoded is answered as any other', async () => {
    const answer = await http.send({ path: '/%61pps/1/events', body: BODY });
    expectDocumented(answer);
  });

  it('whose target is a whole URL, as a proxy may send it, is answered as any other', async () => {
    const target = signedTarget({ path: `http://127.0.0.1:${gateway.port}/apps/1/events`, body: BODY });
    expectDocumented(await http.send({ path: '', body: BODY }, target));
  });

  it.each<[string, readonly string[]]>([
    ['two lengths', ['Content-Length: 47', 'Content-Length: 48']],
    ['a length and chunks', ['Content-Length: 47', 'Transfer-Encoding: chunked']],
    ['a negative length', ['Content-Length: -1']],
    ['a length that is no number', ['Content-Length: many']],
    ['a length beyond all numbers', [`Content-Length: ${'9'.repeat(30)}`]],
    ['chunks that are none', ['Transfer-Encoding: chunked']],
    ['an unknown transfer encoding', ['Transfer-Encoding: gzip']],
    ['a header without a name', ['Content-Length: 47', ': value']],
    ['a header with a zero in it', ['Content-Length: 47', 'X: a\u0000b']],
    ['a header that is folded', ['Content-Length: 47', 'X: a', '\tb: c', ': d']],
  ])('with %s is answered with 400 and cut off', async (_what, headers) => {
    const answer = await exchange(gateway.port, publish(headers));
    expect(answer.status).toBe(400);
    expectSentence(answer);
  });

  it('with more headers than the server reads is answered with 431 and cut off', async () => {
    const answer = await exchange(gateway.port, publish(['Content-Length: 47', `X: ${'a'.repeat(20_000)}`]));
    expect(answer.status).toBe(431);
    expectSentence(answer);
  });

  it('with a method that HTTP does not know is answered with 400 and cut off', async () => {
    const answer = await exchange(gateway.port, 'BREW /apps/1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(answer.status).toBe(400);
    expectSentence(answer);
  });

  it('that is no HTTP at all is answered with 400 and cut off', async () => {
    expect((await exchange(gateway.port, Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]))).status).toBe(400);
    expect((await exchange(gateway.port, '\u0000'.repeat(1_000))).status).toBe(400);
  });

  it('whose body is longer than it says is no publish', async () => {
    const client = await gateway.connect();
    await client.subscribe('room');
    const { status } = await exchange(gateway.port, publish(['Content-Length: 40']));
    expect([400, 401]).toContain(status);
    expect(await client.settle()).toHaveLength(2);
    await client.disconnect();
  });

  it('whose body is shorter than it says is no publish, however the client goes away', async () => {
    const client = await gateway.connect();
    await client.subscribe('room');
    for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
      const raw = await RawSocket.dial(gateway.port);
      raw.write(publish(['Content-Length: 48', 'Expect: 100-continue']));
      await raw.until(({ head }) => (head.startsWith('HTTP/1.1 100 ') ? true : undefined));
      raw.socket[leave]();
      await raw.ended();
      raw.destroy();
    }
    expect(await client.settle()).toHaveLength(2);
    await client.disconnect();
  });

  it('that is followed by others on the same connection gets its answer, and so do they', async () => {
    const one = publish(['Content-Length: 47']);
    const last = publish(['Content-Length: 47', 'Connection: close']);
    const answer = await exchange(gateway.port, one + one + last);
    expect(`${answer.status}${answer.text}`.match(/200 OK|^200/g)).toHaveLength(3);
  });

  function expectSentence({ text }: RawAnswer): void {
    // Node refuses these before there is a request that the API could answer.
    expect(JSON.parse(text)).toMatchObject({ error: expect.stringMatching(/./) as string });
  }

  it('that asks for an upgrade to HTTP/2 is answered in HTTP/1.1, as RFC 9110 wants', async () => {
    const headers = [
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABk',
      'Content-Length: 47',
    ];
    const raw = await RawSocket.dial(gateway.port);
    raw.write(publish(headers));
    await raw.until(({ head }) => (head === '' ? undefined : head));
    expect(raw.statusLine).toBe('HTTP/1.1 200 OK');
    raw.destroy();
  });

  it('that asks for HTTP/2 is not listened to beyond its answer', async () => {
    const raw = await RawSocket.dial(gateway.port);
    raw.write(
      'POST /apps/nope/events HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 400000000\r\n\r\n',
    );
    await raw.until(({ head }) => (head === '' ? undefined : head));
    expect(raw.statusLine).toBe('HTTP/1.1 404 Not Found');
    await raw.ended();
  });

  it('that asks for HTTP/2 and sends its body in chunks is told to name a length', async () => {
    const answer = await exchange(
      gateway.port,
      'POST /apps/1/events HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    expect(answer.status).toBe(411);
  });

  it('without parameters is answered with 401 before its body is read', async () => {
    const answer = await exchange(
      gateway.port,
      'POST /apps/1/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n',
    );
    expect(answer.status).toBe(401);
    expectRefusal(JSON.parse(answer.text));
  });
});
