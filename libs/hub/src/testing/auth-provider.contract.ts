import assert from 'node:assert/strict';
import { parseChannelName, type ChannelName, type Member, type SignedInUser } from '@pogo/pusher-protocol';
import { completeApp } from '../app/app.js';
import type { AuthProvider, ChannelAuthRequest, UserAuthRequest } from '../auth/auth-provider.js';
import { NO_HANDSHAKE } from '../auth/handshake.js';
import { eachWith, type Harness, type TestApi } from './test-api.js';

export interface AuthProviderHarness extends Harness {
  readonly provider: AuthProvider;
  /** Completes a request with what lets a client pass: a signature, a token. `member` on presence channels. */
  allow(request: ChannelAuthRequest, member?: Member): Promise<ChannelAuthRequest> | ChannelAuthRequest;
  allowUser(request: UserAuthRequest, user: SignedInUser): Promise<UserAuthRequest> | UserAuthRequest;
}

const app = completeApp({ id: '1', key: 'key', secret: 'secret' });

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

    test('answers the member on a presence channel', async ({ provider, allow }) => {
      const member = { userId: 'alice', userInfoJson: '{"name":"Alice"}' };
      const decision = await provider.authorizeChannel(await allow(request('presence-a'), member));
      assert.ok(decision.decision === 'allow');
      assert.equal(decision.member?.userId, 'alice');
    });

    test('allows nothing to a client that brings nothing', async ({ provider }) => {
      for (const channel of ['private-a', 'presence-a', 'private-encrypted-a']) {
        const decision = await provider.authorizeChannel(request(channel));
        assert.notEqual(decision.decision, 'allow', channel);
      }
    });

    test('does not take another channel’s or garbage for a permission', async ({ provider, allow }) => {
      const permitted = await allow(request('private-a'));
      const other = await provider.authorizeChannel({ ...permitted, channel: channelName('private-b') });
      assert.notEqual(other.decision, 'allow');
      for (const auth of ['', ':', 'key:', 'key:00', '__proto__', 'ü'.repeat(1_000)]) {
        assert.notEqual((await provider.authorizeChannel({ ...request('private-a'), auth })).decision, 'allow');
      }
    });

    test('authenticates a user and answers who it is', async ({ provider, allowUser }) => {
      const decision = await provider.authenticateUser(await allowUser(userRequest(), { id: 'alice', watchlist: [] }));
      assert.ok(decision.decision === 'allow');
      assert.equal(decision.user.id, 'alice');
    });

    test('authenticates nobody by garbage', async ({ provider }) => {
      for (const auth of ['', ':', 'key:00']) {
        const decision = await provider.authenticateUser({ ...userRequest(), auth });
        assert.notEqual(decision.decision, 'allow');
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
