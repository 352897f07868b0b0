import { describe, expect, it } from 'vitest';
import { parseChannelName, type ChannelName } from '@pogo/pusher-protocol';
import { completeApp } from '../app/app.js';
import { AuthProviderChain } from './auth-provider-chain.js';
import {
  AuthProvider,
  type ChannelAuthDecision,
  type ChannelAuthRequest,
  type UserAuthDecision,
  type UserAuthRequest,
} from './auth-provider.js';
import { NO_HANDSHAKE, NO_NEEDS, type HandshakeNeeds } from './handshake.js';

const app = completeApp({ id: '1', key: 'key', secret: 'secret' });
const channel = parseChannelName('private-a', 200) as ChannelName;
const request: ChannelAuthRequest = { app, socketId: '1.2', handshake: NO_HANDSHAKE, channel };
const userRequest: UserAuthRequest = { app, socketId: '1.2', handshake: NO_HANDSHAKE, auth: '', userData: '{}' };

const ALLOW = { decision: 'allow', member: { userId: 'alice' }, user: { id: 'alice', watchlist: [] } } as const;
const DENY = { decision: 'deny', reason: 'No' } as const;
const NOT_MINE = { decision: 'not_mine' } as const;

/** Answers what it is told to, and remembers what it was asked. */
class Scripted extends AuthProvider {
  readonly asked: unknown[] = [];

  constructor(
    private readonly answer: () => unknown,
    private readonly needs?: HandshakeNeeds,
  ) {
    super();
  }

  authorizeChannel(asked: ChannelAuthRequest): ChannelAuthDecision {
    this.asked.push(asked);
    return this.answer() as ChannelAuthDecision;
  }

  authenticateUser(asked: UserAuthRequest): UserAuthDecision {
    this.asked.push(asked);
    return this.answer() as UserAuthDecision;
  }

  override handshakeNeeds(): HandshakeNeeds {
    return this.needs ?? super.handshakeNeeds(app);
  }
}

const ASKED: readonly [string, (provider: AuthProvider) => unknown, object][] = [
  ['authorizeChannel', (provider) => provider.authorizeChannel(request), request],
  ['authenticateUser', (provider) => provider.authenticateUser(userRequest), userRequest],
];

const WAYS: readonly [string, (decision: unknown) => unknown][] = [
  ['at once', (decision) => decision],
  ['later', (decision) => new Promise((resolve) => setImmediate(resolve, decision))],
  [
    'as a promise of another library',
    (decision) => ({ then: (resolve: (value: unknown) => void) => setImmediate(resolve, decision) }),
  ],
];

it('A chain has at least one provider', () => {
  expect(() => new AuthProviderChain([])).toThrow(TypeError);
});

describe.each(ASKED)('%s of a chain', (_method, ask, asked) => {
  describe.each(WAYS)('that is answered %s', (_way, answer) => {
    it.each([ALLOW, DENY])('takes the first decision and asks nobody else: $decision', async (decision) => {
      const [first, second] = [new Scripted(() => answer(decision)), new Scripted(() => answer(ALLOW))];
      expect(await ask(new AuthProviderChain([first, second]))).toEqual(decision);
      expect([first.asked, second.asked]).toEqual([[asked], []]);
    });

    it('goes on to the next while it is not theirs, with the same question', async () => {
      const providers = [NOT_MINE, NOT_MINE, DENY, ALLOW].map((decision) => new Scripted(() => answer(decision)));
      expect(await ask(new AuthProviderChain(providers))).toEqual(DENY);
      expect(providers.map((each) => each.asked)).toEqual([[asked], [asked], [asked], []]);
    });

    it('is nobody’s when it is nobody’s', async () => {
      const providers = [NOT_MINE, NOT_MINE].map((decision) => new Scripted(() => answer(decision)));
      expect(await ask(new AuthProviderChain(providers))).toEqual(NOT_MINE);
    });

    it.each([undefined, null, 'not_mine', true, {}, { decision: 'NOT_MINE' }])(
      'does not take %j for leave to ask the next',
      async (nonsense) => {
        const next = new Scripted(() => answer(ALLOW));
        expect(await ask(new AuthProviderChain([new Scripted(() => answer(nonsense)), next]))).toEqual(nonsense);
        expect(next.asked).toEqual([]);
      },
    );
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('ends with a provider that %s, wherever it stands', async (_how, broken) => {
    for (const before of [[], [NOT_MINE], [Promise.resolve(NOT_MINE)]]) {
      const next = new Scripted(() => ALLOW);
      const chain = new AuthProviderChain([
        ...before.map((decision) => new Scripted(() => decision)),
        new Scripted(broken),
        next,
      ]);
      await expect((async () => await ask(chain))()).rejects.toThrow('broken');
      expect(next.asked).toEqual([]);
    }
  });

  it('costs no promise where no provider needs one', () => {
    const providers = [NOT_MINE, ALLOW, DENY].map((decision) => new Scripted(() => decision));
    expect(ask(new AuthProviderChain(providers))).toBe(ALLOW);
  });

  it('may have thousands of links', async () => {
    const links = Array.from(
      { length: 5_000 },
      (_, i) => new Scripted(() => (i % 2 ? NOT_MINE : Promise.resolve(NOT_MINE))),
    );
    expect(await ask(new AuthProviderChain([...links, new Scripted(() => ALLOW)]))).toEqual(ALLOW);
  });

  it('may be a link of another one', async () => {
    const inner = new AuthProviderChain([new Scripted(() => NOT_MINE), new Scripted(() => Promise.resolve(NOT_MINE))]);
    expect(await ask(new AuthProviderChain([inner, new Scripted(() => DENY)]))).toEqual(DENY);
  });
});

describe('What a chain needs of the handshakes', () => {
  const needs = (...each: (HandshakeNeeds | undefined)[]) =>
    new AuthProviderChain(each.map((need) => new Scripted(() => NOT_MINE, need))).handshakeNeeds(app);

  it('is nothing when no provider needs anything, in one object for all', () => {
    expect(needs(undefined, undefined)).toBe(NO_NEEDS);
  });

  it('is what the one provider needs', () => {
    const need = { headers: ['cookie'] };
    expect(needs(undefined, need)).toBe(need);
  });

  it('is what any of them needs, each once', () => {
    expect(
      needs({ headers: ['cookie', 'origin'] }, { query: ['token'] }, { headers: ['cookie'], query: ['token', 'v'] }),
    ).toEqual({ headers: ['cookie', 'origin'], query: ['token', 'v'] });
  });
});
