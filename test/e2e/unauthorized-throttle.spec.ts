import { signHttpRequest } from '@pogo/pusher-protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { APP, TestGateway } from '../support/gateway.js';

let gateway: TestGateway;
const start = async (settings: Record<string, string> = {}) => (gateway = await TestGateway.start({ settings }));
afterEach(() => gateway.stop());

/** Asks for the connections, signed with `secret`. */
async function ask(secret: string, headers: Record<string, string> = {}): Promise<Response> {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const query: [string, string][] = [
    ['auth_key', APP.key],
    ['auth_timestamp', timestamp],
    ['auth_version', '1.0'],
  ];
  const path = `/apps/${APP.id}/connections`;
  const signature = signHttpRequest(secret, 'GET', path, query);
  const url = `http://127.0.0.1:${gateway.port}${path}?${new URLSearchParams(query).toString()}&auth_signature=${signature}`;
  return fetch(url, { headers });
}

/** So many requests with a wrong signature, at once. */
const floods = (count: number, headers?: Record<string, string>) =>
  Promise.all(Array.from({ length: count }, () => ask('wrong', headers)));
const failures = async (count: number, headers?: Record<string, string>) =>
  (await floods(count, headers)).map(({ status }) => status);

describe('Requests that nobody has signed', () => {
  it('are answered with 401, and when one address goes on with 429 and when to come again', async () => {
    await start();
    const answers = await floods(300);
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 401).length).toBeGreaterThanOrEqual(100);
    expect(statuses).toContain(429);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    const throttled = answers.find(({ status }) => status === 429);
    expect(throttled?.headers.get('Retry-After')).toMatch(/^[1-9]\d*$/);
    expect(await throttled?.json()).toEqual({
      error: expect.stringMatching(
        /^too many requests without a valid signature: the next is answered in \d+ s$/,
      ) as string,
    });
  });

  it('do not lock out a publisher at the same address that signs', async () => {
    await start();
    expect(await failures(300)).toContain(429);
    expect((await ask(APP.secret)).status).toBe(200);
    expect((await gateway.http.publish('news', 'event', 'data')).status).toBe(200);
  });

  it('are counted for each client behind a trusted proxy', async () => {
    await start({ trusted_proxies: '127.0.0.0/8' });
    expect(await failures(300, { 'X-Forwarded-For': '203.0.113.1' })).toContain(429);
    expect(new Set(await failures(50, { 'X-Forwarded-For': '203.0.113.2' }))).toEqual(new Set([401]));
    expect(await failures(300, { 'X-Forwarded-For': '1.1.1.1, 203.0.113.1' })).toContain(429);
  });

  it('cannot be spread by a made-up address', async () => {
    await start();
    const statuses: number[] = [];
    for (let i = 0; i < 10; i++) statuses.push(...(await failures(30, { 'X-Forwarded-For': `203.0.113.${i}` })));
    expect(statuses).toContain(429);
  });
});
