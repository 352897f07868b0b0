import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { generateKeyPair } from 'jose';
import { HubService } from 'pogo-gateway/hub';
import { signChannel } from 'pogo-gateway/protocol';
import type { PresenceChannel } from 'pusher-js';
import { AttendanceService } from '../src/rooms/attendance.service.js';
import { Application, APP_SECRET, KEY } from './support/application.js';
import { RawClient, type Message } from './support/client.js';
import { join, next, page, type Page } from './support/page.js';
import { issue, settings, unsigned } from './support/tokens.js';

let application: Application;
const pages: Page[] = [];
const clients: RawClient[] = [];

before(async () => {
  application = await Application.start();
});
afterEach(() => {
  for (const each of pages.splice(0)) each.disconnect();
  for (const each of clients.splice(0)) each.close();
});
after(() => application.stop());

function open(token: string, user?: string): Page {
  const opened = page(application.port, token, user);
  pages.push(opened);
  return opened;
}

function dial(query = '', headers: Record<string, string> = {}, { port } = application): RawClient {
  const client = new RawClient(`ws://127.0.0.1:${port}/app/${KEY}?protocol=7${query}`, headers);
  clients.push(client);
  return client;
}

const errorOf = ({ event, data }: Message) => (event === 'pusher:subscription_error' ? data : undefined);

describe('a page with pusher-js', () => {
  it('joins with its token, as the member that the users service knows', async () => {
    const ada = open(await issue('ada'));
    ada.signin();
    const lobby = (await join(ada, 'presence-lobby')) as PresenceChannel;
    assert.equal(lobby.members.me.id, 'ada');
    assert.deepEqual(lobby.members.me.info, { name: 'Ada', roles: ['member', 'editor'] });
  });

  it('gets into the rooms that its user’s roles open, and into no other', async () => {
    const grace = open(await issue('grace'));
    await join(grace, 'private-lobby');
    await assert.rejects(join(grace, 'private-newsroom'), /No role opens this room.*401/);
  });

  it('hears what somebody says in its room through the application', async () => {
    const lobby = await join(open(await issue('grace')), 'private-lobby');
    const message = next(lobby, 'message');
    assert.equal(await application.post('/rooms/lobby/messages', { text: 'Hello' }, await issue('ada')), 202);
    assert.deepEqual(await message, { from: 'ada', text: 'Hello' });
  });

  it('hears who comes and goes', async () => {
    const ada = open(await issue('ada'));
    const attendance = await join(ada, 'private-attendance');
    const heard: unknown[] = [];
    // Somebody of another test may still be leaving.
    attendance.bind_global(
      (event: string, data: { user?: string }) => data.user === 'grace' && heard.push([event, data]),
    );
    const left = next(attendance, 'left', ({ user }: { user: string }) => user === 'grace');
    const grace = open(await issue('grace'));
    grace.signin();
    await join(grace, 'presence-lobby');
    // One connection is told everything in order, so what there was to hear is here when this has been acknowledged.
    await join(ada, 'private-newsroom');
    const data = { channel: 'presence-lobby', user: 'grace' };
    assert.deepEqual(heard, [['joined', data]]);
    grace.disconnect();
    assert.deepEqual(await left, data);
  });

  it('is reached as the user that its token names', async () => {
    const ada = open(await issue('ada'));
    const signedIn = new Promise((resolve) => ada.bind('pusher:signin_success', resolve));
    ada.signin();
    await signedIn;
    const heard = new Promise((resolve) => ada.user.bind('greeting', resolve));
    await join(ada, 'private-lobby');
    await application.app.get(HubService).sendToUser('1', 'ada', 'greeting', '"Hello"');
    assert.equal(await heard, 'Hello');
  });

  it('does not sign in as somebody else', async () => {
    const grace = open(await issue('grace'), 'ada');
    const failed = new Promise((resolve) => grace.connection.bind('error', resolve));
    grace.signin();
    assert.match(JSON.stringify(await failed), /Signin authentication failed/);
  });
});

describe('a token', () => {
  const expired = () => issue('ada', { claims: { exp: Math.floor(Date.now() / 1_000) - 60 } });
  const wrong: readonly (readonly [title: string, token: () => Promise<string>, reason: string])[] = [
    ['that has expired', expired, 'The token has expired'],
    ['of another app', () => issue('ada', { claims: { aud: '2' } }), 'The token is not valid'],
    ['without a signature', () => Promise.resolve(unsigned('ada')), 'The token is not valid'],
    ['of somebody unknown', () => issue('mallory'), 'Nobody has this token’s `sub`'],
  ];
  for (const [title, token, reason] of wrong) {
    it(`${title} is refused with its reason, and counted`, async () => {
      const attendance = application.app.get(AttendanceService);
      const before = attendance.refusals.get('denied') ?? 0;
      const answer = await dial().subscribe('private-lobby', { auth: await token() });
      assert.deepEqual(errorOf(answer), { type: 'AuthError', error: reason, status: 401 });
      assert.equal(attendance.refusals.get('denied'), before + 1);
    });
  }

  it('that nobody can verify at the moment is worth another try', async () => {
    const alone = await Application.start({ issuer: settings.issuer, jwksUrl: 'http://127.0.0.1:1/jwks' });
    try {
      const { privateKey: key } = await generateKeyPair('ES256');
      const auth = await issue('ada', { alg: 'ES256', key });
      const answer = await dial('', {}, alone).subscribe('private-lobby', { auth });
      const error = 'Tokens cannot be verified at the moment';
      assert.deepEqual(errorOf(answer), { type: 'AuthTimeout', error, status: 503 });
    } finally {
      await alone.stop();
    }
  });
});

describe('a handshake', () => {
  const places: readonly (readonly [title: string, dial: (token: string) => RawClient])[] = [
    ['an Authorization header', (token) => dial('', { Authorization: `Bearer ${token}` })],
    ['a query parameter', (token) => dial(`&token=${token}`)],
    ['a cookie', (token) => dial('', { Cookie: `theme=dark; session=${token}; last=1` })],
  ];
  for (const [title, connect] of places) {
    it(`with the token in ${title} is enough for every subscription`, async () => {
      assert.equal(errorOf(await connect(await issue('ada')).subscribe('private-newsroom')), undefined);
      const refused = errorOf(await connect(await issue('grace')).subscribe('private-newsroom'));
      assert.equal((refused as { status?: number } | undefined)?.status, 401);
    });
  }

  it('with nothing at all, nor in the subscription, lets nobody in', async () => {
    const error = errorOf(await dial().subscribe('private-lobby'));
    assert.deepEqual(error, { type: 'AuthError', error: 'Missing signature', status: 401 });
  });
});

describe('a client with a signature', () => {
  it('is let in by the next provider of the chain', async () => {
    const client = dial();
    const { data } = await client.receive('pusher:connection_established');
    const { socket_id: socketId } = JSON.parse(String(data)) as { socket_id: string };
    const auth = signChannel({ key: KEY, secret: APP_SECRET }, socketId, 'private-anything');
    assert.equal(errorOf(await client.subscribe('private-anything', { auth })), undefined);
  });

  it('is refused when the signature is wrong, whatever its handshake had', async () => {
    const client = dial('', { Authorization: `Bearer ${await issue('ada')}` });
    const error = errorOf(await client.subscribe('private-lobby', { auth: `${KEY}:00` }));
    assert.deepEqual(error, { type: 'AuthError', error: 'Invalid signature', status: 401 });
  });
});

describe('POST /rooms/:room/messages', () => {
  const text = 'Hello';

  it('is for who has a token', async () => {
    assert.equal(await application.post('/rooms/lobby/messages', { text }), 401);
    assert.equal(await application.post('/rooms/lobby/messages', { text }, unsigned('ada')), 401);
  });

  it('is for who may enter the room', async () => {
    assert.equal(await application.post('/rooms/newsroom/messages', { text }, await issue('grace')), 403);
  });

  it('wants a text that an event has room for', async () => {
    const token = await issue('ada');
    assert.equal(await application.post('/rooms/lobby/messages', {}, token), 400);
    assert.equal(await application.post('/rooms/lobby/messages', { text: 'x'.repeat(300_000) }, token), 400);
  });
});
