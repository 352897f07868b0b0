import type { App } from '../app/app.js';
import {
  AuthProvider,
  type ChannelAuthDecision,
  type ChannelAuthRequest,
  type UserAuthDecision,
  type UserAuthRequest,
} from './auth-provider.js';
import { NO_NEEDS, type HandshakeNeeds } from './handshake.js';

/** Providers in turn: the first whose answer is not `not_mine` decides. One that throws decides as well: nobody is let in. */
export class AuthProviderChain extends AuthProvider {
  /** @throws TypeError for an empty chain, which would let nobody in. */
  constructor(private readonly providers: readonly AuthProvider[]) {
    super();
    if (providers.length === 0) throw new TypeError('a chain of auth providers needs at least one');
  }

  authorizeChannel(request: ChannelAuthRequest): ChannelAuthDecision | Promise<ChannelAuthDecision> {
    return this.firstDecision((provider) => provider.authorizeChannel(request));
  }

  authenticateUser(request: UserAuthRequest): UserAuthDecision | Promise<UserAuthDecision> {
    return this.firstDecision((provider) => provider.authenticateUser(request));
  }

  override handshakeNeeds(app: App): HandshakeNeeds {
    const needs = this.providers.map((provider) => provider.handshakeNeeds(app)).filter((need) => need !== NO_NEEDS);
    if (needs.length <= 1) return needs[0] ?? NO_NEEDS;
    return {
      headers: [...new Set(needs.flatMap(({ headers = [] }) => headers))],
      query: [...new Set(needs.flatMap(({ query = [] }) => query))],
    };
  }

  /** Without a promise where nobody needs one: signatures are verified in the turn in which they came. */
  private firstDecision<Decision extends { readonly decision: string }>(
    ask: (provider: AuthProvider) => Decision | Promise<Decision>,
    from = 0,
  ): Decision | Promise<Decision> {
    for (let i = from; ; i++) {
      const provider = this.providers[i] as AuthProvider;
      const isLast = i === this.providers.length - 1;
      const decision = ask(provider);
      if (isLast) return decision;
      if (isPromise(decision)) {
        return Promise.resolve(decision).then((late) => (isNotMine(late) ? this.firstDecision(ask, i + 1) : late));
      }
      if (!isNotMine(decision)) return decision;
    }
  }
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

/** A provider of somebody else's may answer anything; what is no answer is not handed on. */
function isNotMine(decision: { readonly decision: string } | null | undefined): boolean {
  return decision?.decision === 'not_mine';
}
