import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppProvider, completeApp, type ConfigAppProvider } from '@pogo/hub';
import { bodyMd5, signHttpRequest, type QueryPairs } from '@pogo/pusher-protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { APP, TestGateway } from '../support/gateway.js';
import { HttpApi } from '../support/http-api.js';
import { RawSocket } from '../support/raw-socket.js';

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await TestGateway.start();
});
afterEach(() => gateway.stop());

/** A signed publish as bytes: what comes before the body, and the body. */
function publish(data: string, { claimed, chunked = false }: { claimed?: number; chunked?: boolean } = {}) {
  const body = JSON.stringify({ name: 'my-event', channel: 'news', data });
  const path = `/apps/${APP.id}/events`;
  const pairs: QueryPairs = [
    ['auth_key', APP.key],
    ['auth_timestamp', String(Math.floor(Date.now() / 1_000))],
    ['auth_version', '1.0'],
    ['body_md5', bodyMd5(Buffer.from(body))],
  ];
  const signed = [...pairs, ['auth_signature', signHttpRequest(APP.secret, 'POST', path, pairs)]];
  const query = signed.map(([key, value]) => `${key}=${value}`).join('&');
  const length = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${claimed ?? body.length}`;
  const head = `POST ${path}?${query} HTTP/1.1\r\nHost: a\r\n${length}\r\n\r\n`;
  return { head, body: chunked ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body };
}

/** Everything the server says until it has answered `count` requests, or ends the connection. */
async function answers(raw: RawSocket, count: number): Promise<number> {
  const said = () => (`${raw.head}${raw.body}`.match(/HTTP\/1\.1 200 OK/g) ?? []).length;
  while (said() < count && !raw.hasEnded) await sleep(1);
  return said();
}

describe('A publish reaches the subscribers when its body', () => {
  it.each<[how: string, segments: (head: string, body: string) => string[], chunked: boolean]>([
    ['comes with its headers', (head, body) => [head + body], false],
    ['comes after its headers', (head, body) => [head, body], false],
    ['comes letter by letter', (head, body) => [head, ...body], false],
    ['has begun with its headers', (head, body) => [head + body.slice(0, 9), body.slice(9)], false],
    ['has its last letter missing for a while', (head, body) => [head + body.slice(0, -1), body.slice(-1)], false],
    ['comes with its headers, as a chunk', (head, body) => [head + body], true],
    ['comes after its headers, as a chunk', (head, body) => [head, body], true],
  ])('%s', async (_how, segments, chunked) => {
    const client = await gateway.connect();
    await client.subscribe('news');
    const raw = await RawSocket.dial(gateway.port);
    const { head, body } = publish('x', { chunked });
    for (const segment of segments(head, body)) {
      raw.write(segment);
      await sleep(2);
    }
    expect(await answers(raw, 1)).toBe(1);
    expect(await client.receive('my-event')).toMatchObject({ data: 'x' });
    raw.destroy();
  });

  it.each<[what: string, segments: (requests: string[]) => string[]]>([
    ['in the same segment', (requests) => [requests.join('')]],
    ['in segments that end within bodies', (requests) => requests.join('').match(/.{1,250}/gs) ?? []],
    ['with the end of its body', ([first = '', ...others]) => [first.slice(0, -9), first.slice(-9) + others.join('')]],
  ])('is followed by others %s, all in order', async (_what, segments) => {
    const client = await gateway.connect();
    await client.subscribe('news');
    const raw = await RawSocket.dial(gateway.port);
    const numbers = ['1', '2', '3', '4', '5', '6'];
    const requests = numbers.map((data) => publish(data, { chunked: data === '3' }));
    for (const segment of segments(requests.map(({ head, body }) => head + body))) {
      raw.write(segment);
      await sleep(2);
    }
    expect(await answers(raw, numbers.length)).toBe(numbers.length);
    await client.settle();
    const received = client.received.filter(({ event }) => event === 'my-event').map(({ data }) => data);
    expect(received).toEqual(numbers);
    raw.destroy();
  });
});

describe('A connection whose publishes came in one segment', () => {
  it('is closed when nothing follows', async () => {
    const server = gateway.app.getHttpServer();
    server.keepAliveTimeout = 1;
    const raw = await RawSocket.dial(gateway.port);
    for (const data of ['1', '2']) {
      const { head, body } = publish(data);
      raw.write(head + body);
    }
    expect(await answers(raw, 2)).toBe(2);
    while (!raw.hasEnded) await sleep(20);
    raw.destroy();
  });

  it('is done with each of them before the next', async () => {
    const closed: string[] = [];
    gateway.app.getHttpServer().on('request', (request: IncomingMessage) => {
      request.on('close', () => closed.push(request.headers['content-length'] ?? ''));
    });
    const raw = await RawSocket.dial(gateway.port);
    for (const [index, data] of ['x', 'xx', 'xxx'].entries()) {
      const { head, body } = publish(data);
      raw.write(head + body);
      expect(await answers(raw, index + 1)).toBe(index + 1);
      await expect.poll(() => closed.length).toBe(index + 1);
    }
    raw.destroy();
  });

  it('is forgotten when the client goes away before its body has come', async () => {
    const raw = await RawSocket.dial(gateway.port);
    const { head, body } = publish('x', { claimed: 1_000 });
    raw.write(head + body);
    await sleep(5);
    raw.destroy();
    expect((await gateway.http.publish('news', 'my-event', 'x')).status).toBe(200);
  });
});

describe('A changed secret', () => {
  it('is the one that counts from then on, and the old one if it comes back', async () => {
    const apps = gateway.app.get<ConfigAppProvider>(AppProvider);
    const publisher = (secret: string) =>
      new HttpApi(`http://127.0.0.1:${gateway.port}`, { ...APP, secret }).publish('news', 'my-event', 'x');
    for (const secret of ['second-secret', 'third-secret', APP.secret]) {
      apps.replace([completeApp({ ...APP, secret })]);
      for (const tried of ['second-secret', 'third-secret', APP.secret]) {
        expect((await publisher(tried)).status).toBe(tried === secret ? 200 : 401);
      }
    }
  });
});
