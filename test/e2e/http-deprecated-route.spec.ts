import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bodyMd5, signHttpRequest } from '@pogo/pusher-protocol';
import { APP, TestGateway } from '../support/gateway.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start({ settings: { max_event_bytes: '1000' } });
});
afterAll(() => gateway.stop());

/** As old publishers send it: the body is the data, everything else is in the URL. */
async function publish(channel: string, body: string | Buffer, parameters: Readonly<Record<string, string>> = {}) {
  const path = `/apps/${APP.id}/channels/${channel}/events`;
  const query: [string, string][] = [
    ['auth_key', APP.key],
    ['auth_timestamp', String(Math.floor(Date.now() / 1_000))],
    ['auth_version', '1.0'],
    ...(body.length === 0 ? [] : ([['body_md5', bodyMd5(Buffer.from(body))]] as [string, string][])),
    ...Object.entries(parameters),
  ];
  query.sort(([a], [b]) => (a < b ? -1 : 1));
  const signature = signHttpRequest(APP.secret, 'POST', path, query);
  const parametersText = new URLSearchParams([...query, ['auth_signature', signature]]).toString();
  const headers = { 'Content-Type': 'application/json' };
  const url = `http://127.0.0.1:${gateway.port}${path}?${parametersText}`;
  const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(Buffer.from(body)) });
  return { status: response.status, body: await response.json() };
}

describe('POST /apps/{id}/channels/{channel}/events', () => {
  it('publishes its body, and excludes who is named', async () => {
    const [author, reader] = [await gateway.connect(), await gateway.connect()];
    await author.subscribe('presence-room', { user_id: '1' });
    await reader.subscribe('presence-room', { user_id: '2' });
    expect(await publish('presence-room', '{"some":"data"}', { name: 'posted', socket_id: author.socketId })).toEqual({
      status: 202,
      body: {},
    });
    expect((await reader.receive('posted')).data).toBe('{"some":"data"}');
    expect(await publish('presence-room', 'no JSON, é', { name: 'last' })).toEqual({ status: 202, body: {} });
    expect((await author.receive('last')).data).toBe('no JSON, é');
    expect(author.received.map(({ event }) => event)).not.toContain('posted');
  });

  it.each([
    ['no name', 'news', 'x', {}, 422, 'Field name'],
    ['a name of the server’s own', 'news', 'x', { name: 'pusher:ping' }, 422, 'reserved'],
    ['no data', 'news', '', { name: 'event' }, 422, 'Field data'],
    ['too much data', 'news', 'x'.repeat(1_001), { name: 'event' }, 413, '1000 bytes'],
    ['no channel name', 'a%20b', 'x', { name: 'event' }, 400, 'Invalid channel name'],
    ['no socket id', 'news', 'x', { name: 'event', socket_id: 'me' }, 400, 'socket_id'],
    ['bytes that are no text', 'news', Buffer.from([0xff, 0xfe]), { name: 'event' }, 400, 'UTF-8'],
  ] as const)('refuses %s', async (_what, channel, body, parameters, status, sentence) => {
    const answer = await publish(channel, body, parameters);
    expect(answer).toMatchObject({ status, body: { error: expect.stringContaining(sentence) as string } });
  });

  it('wants a signature, and no other method', async () => {
    const url = `http://127.0.0.1:${gateway.port}/apps/${APP.id}/channels/news/events?name=event`;
    expect((await fetch(url, { method: 'POST', body: 'x' })).status).toBe(401);
    const wrong = await fetch(url);
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
  });
});
