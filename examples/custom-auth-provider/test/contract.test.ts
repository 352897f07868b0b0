import { afterEach, describe, it } from 'node:test';
import { authProviderContract } from 'pogo-gateway/hub/testing';
import { JwtAuthProvider } from '../src/auth/jwt-auth.provider.js';
import { TokenVerifier } from '../src/auth/token-verifier.js';
import { UsersService } from '../src/users/users.service.js';
import { issue, settings } from './support/tokens.js';

// What every auth provider must do, whatever it goes by. The suite speaks of channels `…-a` and `…-b` and of alice.
authProviderContract({ describe, it, afterEach }, 'JSON Web Tokens', () => {
  const alice = { id: 'alice', name: 'Alice', roles: ['guest'] };
  return {
    provider: new JwtAuthProvider(new TokenVerifier(settings), new UsersService([alice], { guest: ['a'] })),
    allow: async (request, member) => ({ ...request, auth: await issue(member?.userId ?? 'alice') }),
    allowUser: async (request, user) => ({ ...request, auth: await issue(user.id) }),
    close: () => Promise.resolve(),
  };
});
