import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { APP, TestGateway } from '../support/gateway.js';
import { HttpApi, type Answer } from '../support/http-api.js';

/** The clock of the buckets stands still unless a test moves it. */
let clock: number;
beforeEach(() => {
  clock = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => clock);
});
afterEach(() => vi.restoreAllMocks());

async function start(limit: string): Promise<HttpApi> {
  const gateway = await TestGateway.start({ settings: { http_rate_limit: limit } });
  onTestFinished(() => gateway.stop());
  return gateway.http;
}

const rateHeaders = ({ headers }: Answer) =>
  ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'retry-after'].map((name) => headers.get(name));

describe('Without a rate limit', () => {
  it('as many requests as one likes are served, and no header speaks of limits', async () => {
    const gateway = await TestGateway.start();
    onTestFinished(() => gateway.stop());
    const answers = await Promise.all(Array.from({ length: 100 }, () => gateway.http.get('/connections')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(rateHeaders(answers[0] as Answer)).toEqual([null, null, null, null]);
  });
});

describe('With a rate limit of 3 requests a second', () => {
  it('three are served, each told how many are left, and the fourth is told when to come back', async () => {
    const http = await start('3');
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push(await http.get('/connections'));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(answers.map(rateHeaders)).toEqual([
      ['3', '2', '1', null],
      ['3', '1', '1', null],
      ['3', '0', '1', null],
      ['3', '0', '1', '1'],
    ]);
    expect(answers[3]?.body).toEqual({ error: expect.stringMatching(/\b3\b/) as string });
  });

  it('one more is served when its time has come', async () => {
    const http = await start('3');
    for (let i = 0; i < 3; i++) await http.get('/connections');
    expect((await http.get('/connections')).status).toBe(429);
    clock += 334;
    expect((await http.get('/connections')).status).toBe(200);
    expect((await http.get('/connections')).status).toBe(429);
  });

  it('all routes count together, and refused requests as well', async () => {
    const http = await start('3');
    expect((await http.publish('news', 'my-event', 'x')).status).toBe(200);
    expect((await http.post('/events', '{')).status).toBe(400);
    expect((await http.get('/channels')).status).toBe(200);
    for (const path of ['/channels', '/channels/news', '/connections']) expect((await http.get(path)).status).toBe(429);
    expect((await http.post('/batch_events', { batch: [] })).status).toBe(429);
  });

  it('what is over it is not parsed', async () => {
    const http = await start('1');
    await http.get('/connections');
    expect((await http.post('/events', '{')).status).toBe(429);
  });

  it('only requests with a right signature count, so that nobody else can spend it', async () => {
    const http = await start('1');
    for (let i = 0; i < 5; i++) {
      const answer = await http.get('/connections', {}, { tamper: { auth_signature: 'x' } });
      expect(answer.status).toBe(401);
      expect(rateHeaders(answer)).toEqual([null, null, null, null]);
    }
    expect((await http.get('/connections')).status).toBe(200);
  });

  it('every app has its own', async () => {
    const other = { id: '2', key: 'key-2', secret: 'secret-2', httpRateLimit: 1 };
    const gateway = await TestGateway.start({ apps: [{ ...APP, httpRateLimit: 1 }, other] });
    onTestFinished(() => gateway.stop());
    const second = new HttpApi(`http://127.0.0.1:${gateway.port}`, other);
    expect((await gateway.http.get('/connections')).status).toBe(200);
    expect((await gateway.http.get('/connections')).status).toBe(429);
    expect((await second.get('/connections')).status).toBe(200);
    expect((await second.get('/connections')).status).toBe(429);
  });
});

describe('With a rate limit of one request in ten seconds', () => {
  it('the second is told to wait for ten', async () => {
    const http = await start('0.1');
    expect((await http.get('/connections')).status).toBe(200);
    const refused = await http.get('/connections');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('10');
    expect(refused.headers.get('x-ratelimit-reset')).toBe('10');
    clock += 9_000;
    expect((await http.get('/connections')).headers.get('retry-after')).toBe('1');
    clock += 1_001;
    expect((await http.get('/connections')).status).toBe(200);
  });
});
