import http, { type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { bodyMd5, signHttpRequest, type QueryPairs } from '@pogo/pusher-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../support/client.js';
import { APP, TestGateway } from '../support/gateway.js';

/** The checks have an order, so that what is cheap is asked first and nothing is believed that is not signed. */
const MAX_BODY = 1_000;
const EVENT = JSON.stringify({ name: 'my-event', channel: 'news', data: 'x' });

let gateway: TestGateway;
let reader: Client;
beforeAll(async () => {
  gateway = await TestGateway.start({ settings: { max_body_bytes: String(MAX_BODY) } });
  reader = await gateway.connect();
  await reader.subscribe('news');
});
afterAll(() => gateway.stop());

interface Attempt {
  readonly appId?: string;
  readonly tamper?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string | number>>;
  /** What is signed, if it is not what is sent. */
  readonly signed?: string;
}

function begin({ appId = APP.id, tamper = {}, headers = {}, signed = EVENT }: Attempt): http.ClientRequest {
  const path = `/apps/${appId}/events`;
  const pairs: QueryPairs = [
    ['auth_key', APP.key],
    ['auth_timestamp', String(Math.floor(Date.now() / 1_000))],
    ['auth_version', '1.0'],
    ['body_md5', bodyMd5(Buffer.from(signed))],
  ];
  const signature = signHttpRequest(APP.secret, 'POST', path, pairs);
  const query = new URLSearchParams({ ...Object.fromEntries(pairs), auth_signature: signature, ...tamper });
  const target = `${path}?${query.toString()}`;
  return http.request({ host: '127.0.0.1', port: gateway.port, path: target, method: 'POST', headers, agent: false });
}

async function answerOf(request: http.ClientRequest): Promise<[status: number | undefined, body: unknown]> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return [response.statusCode, JSON.parse(text)];
}

/** The answer to a request whose body is announced and never sent. */
async function answerWithoutBody(attempt: Attempt, length: number): Promise<unknown[]> {
  const request = begin({ ...attempt, headers: { 'Content-Length': length } });
  request.on('error', () => undefined);
  request.flushHeaders();
  const answer = await answerOf(request);
  request.destroy();
  return answer;
}

/** The answer to a request that sends its body in chunks, without a length. */
function answerToChunks(attempt: Attempt, ...chunks: string[]): Promise<unknown[]> {
  const request = begin({ ...attempt, headers: { 'Transfer-Encoding': 'chunked' } });
  for (const chunk of chunks) request.write(chunk);
  request.end();
  return answerOf(request);
}

const answerTo = (attempt: Attempt, body: string) => {
  const request = begin(attempt);
  request.end(body);
  return answerOf(request);
};

const TOO_LARGE = [413, { error: `The request body exceeds the allowed maximum (${MAX_BODY} bytes)` }];
const invalid = (suspect: string) => [401, { error: `authentication signature invalid: ${suspect}` }];
const WRONG = { auth_key: 'x', auth_version: 'x', auth_timestamp: 'x', body_md5: 'x', auth_signature: 'x' };

describe('Before the body is read', () => {
  it('the app must be known', async () => {
    const answer = await answerWithoutBody({ appId: '99', tamper: WRONG }, 10_000_000);
    expect(answer).toEqual([404, { error: 'application not found' }]);
  });

  it('the key must be right', async () => {
    expect(await answerWithoutBody({ tamper: WRONG }, 10_000_000)).toEqual(invalid('key'));
  });

  it('the version must be right', async () => {
    expect(await answerWithoutBody({ tamper: { ...WRONG, auth_key: APP.key } }, 10_000_000)).toEqual(
      invalid('version'),
    );
  });

  it('the timestamp must be right', async () => {
    const tamper = { ...WRONG, auth_key: APP.key, auth_version: '1.0' };
    expect(await answerWithoutBody({ tamper }, 10_000_000)).toEqual(invalid('timestamp'));
  });

  it('the announced length must be allowed', async () => {
    const tamper = { body_md5: 'x', auth_signature: 'x' };
    expect(await answerWithoutBody({ tamper }, MAX_BODY + 1)).toEqual(TOO_LARGE);
  });
});

describe('While the body is read', () => {
  it('it is cut off where it becomes too large, although no length was announced', async () => {
    const request = begin({ headers: { 'Transfer-Encoding': 'chunked' } });
    request.on('error', () => undefined);
    request.write('x'.repeat(MAX_BODY));
    request.write('x');
    expect(await answerOf(request)).toEqual(TOO_LARGE);
    request.destroy();
  });

  it('it may come in any number of chunks', async () => {
    expect(await answerToChunks({}, EVENT.slice(0, 5), EVENT.slice(5, 6), EVENT.slice(6))).toEqual([200, {}]);
    expect(await reader.receive('my-event')).toMatchObject({ data: 'x' });
  });

  it('it may be exactly as large as allowed', async () => {
    const body = EVENT.padEnd(MAX_BODY);
    expect(await answerToChunks({ signed: body }, body)).toEqual([200, {}]);
    expect(await answerTo({ signed: body }, body)).toEqual([200, {}]);
    await reader.receive('my-event');
    await reader.receive('my-event');
  });

  it('a client that is still sending gets to see why it was refused, and the server lives on', async () => {
    const body = 'x'.repeat(3_000_000);
    expect(await answerTo({ signed: body }, body)).toEqual(TOO_LARGE);
    expect((await gateway.http.get('/connections')).status).toBe(200);
  });
});

describe('Nothing of the body is looked into', () => {
  const PROBES: readonly (readonly [what: string, body: string])[] = [
    ['malformed JSON', '{'],
    ['no JSON object', '[]'],
    ['an event without a name', '{"data":"x","channel":"news"}'],
    ['an invalid channel', '{"name":"my-event","data":"x","channel":"a b"}'],
    ['invalid UTF-8', Buffer.from([0x22, 0xff, 0x22]).toString('latin1')],
  ];

  it.each(PROBES)('before its digest was verified (%s)', async (_what, body) => {
    expect(await answerTo({}, body)).toEqual(invalid('digest'));
  });

  it.each(PROBES)('before the signature was verified (%s)', async (_what, body) => {
    expect(await answerTo({ signed: body, tamper: { auth_signature: 'x' } }, body)).toEqual(invalid('signature'));
  });

  it('and a wrong digest is told before a wrong signature', async () => {
    expect(await answerTo({ tamper: { body_md5: 'x', auth_signature: 'x' } }, EVENT)).toEqual(invalid('digest'));
  });

  it('and nothing of it is published', async () => {
    await answerTo({ tamper: { auth_signature: 'x' } }, EVENT);
    await answerTo({ tamper: { body_md5: 'x' } }, EVENT);
    const before = reader.count('my-event');
    await reader.settle();
    expect(reader.count('my-event')).toBe(before);
    expect(before).toBe(3);
  });
});
