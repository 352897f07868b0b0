import assert from 'node:assert/strict';
import { parseChannelName, type ChannelName, type Member, type SignedInUser } from '@pogo/pusher-protocol';
import { completeApp } from '../app/app.js';
import type {
  AuthProvider,
  ChannelAuthDecision,
  ChannelAuthRequest,
  UserAuthDecision,
  UserAuthRequest,
} from '../auth/auth-provider.js';
import { NO_HANDSHAKE, type Handshake } from '../auth/handshake.js';
import { eachWith, type Harness, type TestApi } from './test-api.js';

export interface AuthProviderHarness extends Harness {
  readonly provider: AuthProvider;
  /** Completes a request with what lets a client pass: a signature, a token. `member` on presence channels. */
  allow(request: ChannelAuthRequest, member?: Member): Promise<ChannelAuthRequest> | ChannelAuthRequest;
  allowUser(request: UserAuthRequest, user: SignedInUser): Promise<UserAuthRequest> | UserAuthRequest;
}

const app = completeApp({ id: '1', key: 'key', secret: 'secret' });

/** Apps as different as they come: a provider is asked about each that the server has. */
const APPS = [
  app,
  completeApp({ id: '__proto__', key: '__proto__', secret: 'x'.repeat(1_000), enabled: false }),
  completeApp({ id: 'other', key: 'ключ', secret: '🔑', authEndpoint: 'http://127.0.0.1:9/auth' }),
];

const PRIVATE_CHANNELS = ['private-a', 'presence-a', 'private-encrypted-a', 'private-cache-a', 'presence-cache-a'];

/** What is no permission, in whatever way a provider recognizes one. */
const GARBAGE = [
  '',
  ' ',
  ':',
  'key',
  'key:',
  ':00',
  'key:00',
  `key:${'0'.repeat(64)}`,
  'Bearer ',
  'Bearer x',
  'a.b.c',
  'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.',
  '__proto__',
  '{"auth":true}',
  'null',
  '\0',
  '\ud800',
  'ü'.repeat(10_000),
];

/** What every {@link AuthProvider} must do: allow what it should, and nothing else. */
export function authProviderContract(
  api: TestApi,
  name: string,
  create: () => Promise<AuthProviderHarness> | AuthProviderHarness,
): void {
  api.describe(`AuthProvider contract: ${name}`, () => {
    const test = eachWith(api, create);

    test('allows a private channel to whom it was given', async ({ provider, allow }) => {
      const decision = await provider.authorizeChannel(await allow(request('private-a')));
      assert.equal(decision.decision, 'allow');
    });

    test('answers the member on a presence channel, as others can be shown it', async ({ provider, allow }) => {
      for (const channel of ['presence-a', 'presence-cache-a']) {
        const member = { userId: 'alice', userInfoJson: '{"name":"Alice"}' };
        const decision = await provider.authorizeChannel(await allow(request(channel), member));
        assert.ok(decision.decision === 'allow');
        assert.equal(decision.member?.userId, 'alice');
        assertJson(decision.member.userInfoJson);
      }
    });

    test('allows nothing to a client that brings nothing', async ({ provider }) => {
      for (const channel of PRIVATE_CHANNELS) {
        assertRefused(await provider.authorizeChannel(request(channel)), channel);
      }
    });

    test('does not take another channel’s permission', async ({ provider, allow }) => {
      const permitted = await allow(request('private-a'));
      assertRefused(await provider.authorizeChannel({ ...permitted, channel: channelName('private-b') }), 'private-b');
    });

    test('refuses garbage and never throws at it', async ({ provider }) => {
      for (const auth of GARBAGE) {
        for (const channel of ['private-a', 'presence-a']) {
          assertRefused(await provider.authorizeChannel({ ...request(channel), auth }), auth);
          for (const channelData of ['', 'null', '{"user_id":"alice"}', '[', 'x'.repeat(10_000)]) {
            assertRefused(await provider.authorizeChannel({ ...request(channel), auth, channelData }), auth);
          }
        }
      }
    });

    test('authenticates a user and answers who it is', async ({ provider, allowUser }) => {
      const decision = await provider.authenticateUser(await allowUser(userRequest(), { id: 'alice', watchlist: [] }));
      assert.ok(decision.decision === 'allow');
      assert.equal(decision.user.id, 'alice');
      assertJson(decision.user.userInfoJson);
      assert.ok(decision.user.watchlist.every((id) => typeof id === 'string'));
    });

    test('authenticates nobody by garbage, and never throws at it', async ({ provider }) => {
      for (const auth of GARBAGE) {
        for (const userData of ['', '{}', '{"id":"alice"}', '{"id":null}', '[', 'x'.repeat(10_000)]) {
          assertRefused(await provider.authenticateUser({ ...userRequest(), auth, userData }), auth);
        }
      }
    });

    test('says what it needs of the handshakes of any app: names, headers in lower case', ({ provider }) => {
      for (const each of APPS) {
        const { headers = [], query = [] } = provider.handshakeNeeds(each);
        assert.ok([...headers, ...query].every((name) => typeof name === 'string' && name !== ''));
        assert.deepEqual(
          headers,
          headers.map((name) => name.toLowerCase()),
        );
      }
      return Promise.resolve();
    });

    test('refuses a client whose handshake has nothing of what it needs, or garbage', async ({ provider }) => {
      const { headers = [], query = [] } = provider.handshakeNeeds(app);
      const handshakes = ['', ...GARBAGE].map((value): Handshake => ({
        clientIp: '192.0.2.1',
        headers: Object.fromEntries(headers.map((name) => [name, value])),
        query: Object.fromEntries(query.map((name) => [name, value])),
      }));
      for (const handshake of [{ ...NO_HANDSHAKE, clientIp: '2001:db8::1' }, ...handshakes]) {
        assertRefused(await provider.authorizeChannel({ ...request('private-a'), handshake }), 'private-a');
        assertRefused(await provider.authenticateUser({ ...userRequest(), handshake }), 'sign-in');
      }
    });
  });
}

function channelName(name: string): ChannelName {
  return parseChannelName(name, 200) as ChannelName;
}

function request(channel: string): ChannelAuthRequest {
  return { app, socketId: '1.2', handshake: NO_HANDSHAKE, channel: channelName(channel) };
}

function userRequest(): UserAuthRequest {
  return { app, socketId: '1.2', handshake: NO_HANDSHAKE, auth: '', userData: '{"id":"alice"}' };
}

function assertRefused(decision: ChannelAuthDecision | UserAuthDecision, subject: string): void {
  assert.ok(decision.decision === 'deny' || decision.decision === 'not_mine', subject.slice(0, 64));
  if (decision.decision === 'deny') assert.equal(typeof decision.reason, 'string');
}

function assertJson(text: string | undefined): void {
  if (text !== undefined) assert.doesNotThrow(() => JSON.parse(text) as unknown, text);
}
