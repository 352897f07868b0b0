import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BrowserChat, EXAMPLE } from '../support/browser-chat.js';
import { APP } from '../support/gateway.js';
import { Running } from '../support/process.js';
import { mortal } from '../support/redis.js';

let chat: BrowserChat;
beforeAll(async () => {
  chat = await BrowserChat.start();
});
afterAll(() => chat.stop());

const JSON_TYPE = { 'Content-Type': 'application/json' };

function post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(`${chat.url}${path}`, {
    method: 'POST',
    headers: { ...JSON_TYPE, ...headers },
    body: JSON.stringify(body),
  });
}

/** The `Cookie` header of somebody who has joined. */
async function join(name: string): Promise<{ Cookie: string }> {
  const response = await post('/session', { name });
  const [cookie = ''] = (response.headers.get('Set-Cookie') ?? '').split(';', 1);
  return { Cookie: cookie };
}

async function userOf(headers: { Cookie: string }): Promise<unknown> {
  const answer = (await (await fetch(`${chat.url}/session`, { headers })).json()) as { user: unknown };
  return answer.user;
}

describe('the server of examples/browser-chat', () => {
  it('knows people by their cookie, and nobody by one that it has not signed', async () => {
    const headers = await join('  Ada \n Lovelace ');
    expect(await userOf(headers)).toMatchObject({ name: 'Ada Lovelace' });
    const signature = headers.Cookie.split('.')[1] ?? '';
    const forged = Buffer.from(JSON.stringify({ id: '1', name: 'Grace' })).toString('base64url');
    expect(await userOf({ Cookie: `chat_session=${forged}.${signature}` })).toBeNull();
  });

  it.each([[''], ['  '], ['x'.repeat(41)], ['a\u0000b'], [7], [undefined]])('refuses the name %j', async (name) => {
    const response = await post('/session', { name });
    expect([response.status, response.headers.has('Set-Cookie')]).toEqual([422, false]);
  });

  it.each([[''], [' '], ['x'.repeat(501)], [['x']], [undefined]])('refuses the message %j', async (text) => {
    expect((await post('/messages', { text }, await join('Ada'))).status).toBe(422);
  });

  it('publishes the words of those who have joined alone', async () => {
    const ada = await join('Ada');
    const client = await chat.gateway.connect();
    await client.subscribe('presence-lobby', { user_id: 'observer' });
    expect((await post('/messages', { text: 'from nobody' })).status).toBe(403);
    expect((await post('/messages', { text: 'from Ada' }, ada)).status).toBe(201);
    const { event, data } = await client.receive('App\\Events\\MessageSent');
    expect([event, JSON.parse(data as string)]).toMatchObject([
      'App\\Events\\MessageSent',
      { text: 'from Ada', user: { name: 'Ada' } },
    ]);
    await client.disconnect();
  });

  it('says so when the gateway has not taken a message', async () => {
    const ada = await join('Ada');
    chat.network.refuse();
    expect((await post('/messages', { text: 'lost' }, ada)).status).toBe(502);
    chat.network.accept();
    expect((await post('/messages', { text: 'not lost' }, ada)).status).toBe(201);
  });

  it('signs the lobby for those who have joined, as who they are, and no other channel', async () => {
    const authorize = (channel: string, socket: string, headers: Readonly<Record<string, string>>) =>
      fetch(`${chat.url}/broadcasting/auth`, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ channel_name: channel, socket_id: socket }),
      });
    const ada = await join('Ada');
    const response = await authorize('presence-lobby', '1.2', ada);
    const { auth, channel_data } = (await response.json()) as { auth: string; channel_data: string };
    expect(auth).toMatch(new RegExp(`^${APP.key}:[0-9a-f]{64}$`));
    expect(JSON.parse(channel_data)).toMatchObject({ user_info: { name: 'Ada' } });
    expect((await authorize('presence-lobby', '1.2', {})).status).toBe(403);
    expect((await authorize('private-admin', '1.2', ada)).status).toBe(403);
    expect((await authorize('presence-lobby', '1.2:presence-admin', ada)).status).toBe(422);
  });

  it('reads no more than a message needs, and nothing but JSON', async () => {
    const ada = await join('Ada');
    expect((await post('/messages', { text: 'x'.repeat(10_000) }, ada)).status).toBe(413);
    // What a form of another site could send.
    expect((await post('/messages', { text: 'x' }, { ...ada, 'Content-Type': 'text/plain' })).status).toBe(400);
  });

  it.each(['/server.mjs', '/.env', '//', '/chat.js/'])('has nothing at %s', async (path) => {
    expect((await fetch(`${chat.url}${path}`)).status).toBe(404);
  });

  it('lets the page load nothing from elsewhere', async () => {
    const { headers } = await fetch(chat.url);
    const socket = `ws://127.0.0.1:${chat.network.port}`;
    expect(headers.get('Content-Security-Policy')).toContain(`default-src 'none'; script-src 'self';`);
    expect(headers.get('Content-Security-Policy')).toContain(`connect-src 'self' ${socket};`);
  });

  it('does not start without the secret, and says where it is to be had', async () => {
    const server = new Running(...mortal(process.execPath, ['server.mjs']), {
      cwd: EXAMPLE,
      env: { REVERB_APP_SECRET: '', PORT: '0' },
    });
    expect((await server.ending).code).toBe(78);
    expect(server.output).toBe('REVERB_APP_SECRET is missing: the gateway prints it when it starts (README.md).\n');
  });
});
