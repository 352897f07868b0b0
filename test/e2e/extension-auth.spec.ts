import { Injectable } from '@nestjs/common';
import { GatewayModule } from '@pogo/gateway';
import {
  AuthProvider,
  SignatureAuthProvider,
  type App,
  type ChannelAuthDecision,
  type ChannelAuthRequest,
  type Connection,
  type HandshakeNeeds,
  type UserAuthDecision,
  type UserAuthRequest,
} from '@pogo/hub';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../support/client.js';
import { configOf, EmbeddedGateway } from '../support/embedded.js';
import { heard } from '../support/observer.js';

const SESSIONS = new Map([
  ['session-1', 'ada'],
  ['session-2', 'bob'],
]);

/** Knows clients by their session, and leaves those without one to whoever comes next. */
@Injectable()
class SessionAuthProvider extends AuthProvider {
  readonly seen: (ChannelAuthRequest | UserAuthRequest)[] = [];

  override handshakeNeeds(_app: App): HandshakeNeeds {
    return { headers: ['x-session', 'user-agent', 'x-absent'], query: ['session', 'absent'] };
  }

  authorizeChannel(request: ChannelAuthRequest): ChannelAuthDecision {
    this.seen.push(request);
    const session = this.sessionOf(request);
    if (session === undefined) return { decision: 'not_mine' };
    const userId = SESSIONS.get(session);
    if (userId === undefined) return { decision: 'deny', reason: 'The session has expired' };
    return request.channel.kind === 'presence' ? { decision: 'allow', member: { userId } } : { decision: 'allow' };
  }

  async authenticateUser(request: UserAuthRequest): Promise<UserAuthDecision> {
    this.seen.push(request);
    await new Promise((resolve) => setImmediate(resolve));
    const id = SESSIONS.get(this.sessionOf(request) ?? '');
    return id === undefined ? { decision: 'not_mine' } : { decision: 'allow', user: { id, watchlist: [] } };
  }

  private sessionOf({ handshake: { headers, query } }: ChannelAuthRequest | UserAuthRequest): string | undefined {
    return headers['x-session'] ?? query['session'];
  }
}

describe('A provider of the application before signatures', () => {
  let gateway: EmbeddedGateway;
  let sessions: SessionAuthProvider;
  const opened: Connection[] = [];

  beforeAll(async () => {
    const auth = [SessionAuthProvider, SignatureAuthProvider];
    gateway = await EmbeddedGateway.start(GatewayModule.forRoot({ config: configOf(), auth }));
    sessions = gateway.app.get(SessionAuthProvider);
    gateway.events.on('connectionOpened', ({ connection }) => opened.push(connection));
  });
  afterAll(() => gateway.stop());
  beforeEach(() => {
    sessions.seen.length = 0;
    opened.length = 0;
  });

  const bySession = (session: string) => gateway.connect(undefined, { headers: { 'X-Session': session } });

  /** Subscribes with nothing but what the handshake brought. */
  const bare = (client: Client, channel: string) => client.send({ event: 'pusher:subscribe', data: { channel } });

  it('lets both kinds of client into one channel', async () => {
    const [ada, bob, eve] = [await bySession('session-1'), await gateway.connect(), await bySession('session-2')];
    bare(ada, 'presence-mixed');
    await ada.receive('pusher_internal:subscription_succeeded');
    await bob.subscribe('presence-mixed', { user_id: 'signed' });
    bare(eve, 'presence-mixed');
    const { data } = await eve.receive('pusher_internal:subscription_succeeded');
    expect(JSON.parse(String(data))).toMatchObject({ presence: { ids: ['ada', 'signed', 'bob'] } });
    bob.send({ event: 'client-hello', channel: 'presence-mixed', data: '1' });
    expect(await ada.receive('client-hello')).toMatchObject({ user_id: 'signed' });
  });

  it('lets both kinds of client sign in', async () => {
    const [ada, bob] = [await bySession('session-1'), await gateway.connect()];
    ada.send({ event: 'pusher:signin', data: { auth: '', user_data: '{}' } });
    // Whoever the client said it was: pusher-js believes this.
    const { data } = await ada.receive('pusher:signin_success');
    expect(JSON.parse((data as { user_data: string }).user_data)).toMatchObject({ id: 'ada' });
    expect((await bob.signin({ id: 'signed' })).event).toBe('pusher:signin_success');
    for (const [client, user] of [
      [ada, 'ada'],
      [bob, 'signed'],
    ] as const) {
      client.send({ event: 'pusher:subscribe', data: { channel: `#server-to-user-${user}` } });
      await client.receive('pusher_internal:subscription_succeeded');
    }
  });

  it('decides by itself about what is its own: a signature is not asked for then', async () => {
    const expired = await bySession('session-3');
    expired.send(expired.subscription('private-room'));
    expect((await expired.receive('pusher:subscription_error')).data).toEqual({
      type: 'AuthError',
      error: 'The session has expired',
      status: 401,
    });
  });

  it('leaves a client that has neither outside, and an unsigned user nobody', async () => {
    const client = await gateway.connect();
    bare(client, 'private-room');
    expect((await client.receive('pusher:subscription_error')).data).toMatchObject({ type: 'AuthError', status: 401 });
    client.send({ event: 'pusher:signin', data: { auth: 'forged', user_data: '{"id":"ada"}' } });
    expect((await client.receive((m) => m.event === 'pusher:error' && m.channel === undefined)).data).toMatchObject({
      code: 4009,
    });
    await client.subscribe('room');
  });

  it('is shown of the handshake what it needs', async () => {
    const client = await gateway.connect(undefined, {
      query: '?protocol=7&session=session-1&session=second&secret=s3cret&client=js',
      headers: { 'User-Agent': 'tester', Cookie: 'secret=s3cret', Authorization: 'Bearer s3cret' },
    });
    bare(client, 'private-room');
    await client.receive('pusher_internal:subscription_succeeded');
    const kept = { clientIp: '127.0.0.1', headers: { 'user-agent': 'tester' }, query: { session: 'session-1' } };
    expect(sessions.seen.map(({ handshake }) => handshake)).toEqual([kept]);
    expect(opened.map(({ handshake }) => handshake)).toEqual([kept]);
    expect(sessions.seen[0]).toMatchObject({ socketId: client.socketId, app: { id: '1' } });
  });
});

it('Without a provider that needs something, nothing is kept of a handshake but the address', async () => {
  const gateway = await EmbeddedGateway.start(
    GatewayModule.forRoot({ config: configOf(), auth: SignatureAuthProvider }),
  );
  const opened: Connection[] = [];
  gateway.events.on('connectionOpened', ({ connection }) => opened.push(connection));
  await gateway.connect(undefined, { query: '?session=1', headers: { 'X-Session': '1', Cookie: 'a=b' } });
  expect(opened.map(({ handshake }) => handshake)).toEqual([{ clientIp: '127.0.0.1', headers: {}, query: {} }]);
  await gateway.stop();
});

/** Answers what the test says, also as who a member is. */
class NonsenseAuthProvider extends AuthProvider {
  answer: () => unknown = () => undefined;

  authorizeChannel(): ChannelAuthDecision {
    return this.answer() as ChannelAuthDecision;
  }

  authenticateUser(): UserAuthDecision {
    return this.answer() as UserAuthDecision;
  }
}

describe('A provider that answers nonsense', () => {
  const provider = new NonsenseAuthProvider();
  let gateway: EmbeddedGateway;
  const failures: string[] = [];

  beforeAll(async () => {
    const auth = { useValue: provider };
    gateway = await EmbeddedGateway.start(GatewayModule.forRoot({ config: configOf({ auth_timeout: '50ms' }), auth }));
    gateway.events.on('authFailed', ({ failure }) => failures.push(failure));
  });
  afterAll(() => gateway.stop());
  beforeEach(() => {
    failures.length = 0;
  });

  const NOTHING = undefined as unknown as Error;
  const member = (userId: unknown, userInfoJson?: unknown) => ({ decision: 'allow', member: { userId, userInfoJson } });

  it.each<[string, () => unknown]>([
    ['nothing', () => undefined],
    ['an allowance without a member', () => ({ decision: 'allow' })],
    ['a member that is null', () => ({ decision: 'allow', member: null })],
    ['a member whose id is a number', () => member(1)],
    ['a member whose id is empty', () => member('')],
    [
      'a member whose id cannot be read',
      () => ({
        decision: 'allow',
        member: {
          get userId() {
            throw new Error('no');
          },
        },
      }),
    ],
    ['an info that is no JSON', () => member('eve', '"},{"event":"forged')],
    ['an info that is an object', () => member('eve', { toJSON: () => 'x' })],
    [
      'what it throws and nobody can print',
      () => {
        throw Object.create(null);
      },
    ],
    ['a rejection with undefined', () => new Promise((_resolve, reject) => reject(NOTHING))],
    ['a promise that is never kept', () => new Promise(() => undefined)],
  ])('denies cleanly: %s', async (_what, answer) => {
    const [ada, eve] = [await gateway.connect(), await gateway.connect()];
    provider.answer = () => member('ada');
    await ada.subscribe('presence-room');
    provider.answer = answer;
    eve.send(eve.subscription('presence-room'));
    await eve.receive('pusher:subscription_error');
    eve.send({ event: 'pusher:signin', data: { auth: 'x', user_data: '{"id":"eve"}' } });
    await eve.receive((m) => m.event === 'pusher:error' && JSON.stringify(m.data).includes('Signin'));
    expect(failures).toHaveLength(2);
    // The connection goes on, and the member that is there has heard nothing.
    await eve.subscribe('room');
    await gateway.http().publish(['room', 'presence-room'], 'event', 'x');
    await Promise.all([eve.receive('event'), ada.receive('event')]);
    expect(heard(ada, 'presence-room').map(({ event }) => event)).toEqual(['event']);
    await Promise.all([ada.disconnect(), eve.disconnect()]);
  });
});
