import { Logger } from '@nestjs/common';
import { PusherError, SubscriptionError } from '@pogo/pusher-protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AuthHarness, refusalOf, unreadable } from '../testing/auth-harness.js';

let t: AuthHarness;
let logged: string[];

beforeEach(() => {
  t = new AuthHarness();
  logged = [];
  vi.spyOn(Logger.prototype, 'error').mockImplementation((message: unknown) => void logged.push(String(message)));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await t.close();
});

/** What an untyped provider might answer instead of a decision. */
const NONSENSE: readonly [string, () => unknown][] = [
  ['undefined', () => undefined],
  ['null', () => null],
  ['true', () => true],
  ['a text', () => 'allow'],
  ['a number', () => 1],
  ['a list', () => ['allow']],
  ['an empty object', () => ({})],
  ['a function', () => () => ({ decision: 'allow' })],
  ['a decision in capitals', () => ({ decision: 'ALLOW' })],
  ['a decision that is true', () => ({ decision: true })],
  ['a decision that is a list', () => ({ decision: ['allow'] })],
  ['what another library calls it', () => ({ allow: true, allowed: true })],
  ['a decision that cannot be read', () => unreadable('decision')],
  ['a thenable that cannot be read', () => unreadable('then')],
  ['an error', () => new Error('allow')],
  ['a promise of nothing', () => Promise.resolve()],
  ['a promise of a text', () => Promise.resolve('allow')],
  ['a promise of what cannot be read', () => Promise.resolve(unreadable('decision'))],
  ['a rejection', () => Promise.reject(new Error('broken'))],
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
  ['a rejection with undefined', () => Promise.reject(undefined)],
  [
    'a rejection with what cannot be printed',
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    () => Promise.reject(Object.create(null)),
  ],
  ['a thenable that throws', () => ({ then: () => fail(new Error('broken')) })],
  ['a thenable that rejects with a text', () => ({ then: (_: unknown, reject: (e: unknown) => void) => reject('no') })],
  ['an error, thrown', () => fail(new Error('broken'))],
  ['undefined, thrown', () => fail(undefined)],
  ['a symbol, thrown', () => fail(Symbol('broken'))],
  ['what cannot be printed, thrown', () => fail(Object.create(null))],
  [
    'an error whose stack cannot be read, thrown',
    () => fail(Object.defineProperty(new Error(), 'stack', { get: () => fail(1) })),
  ],
];

function fail(error: unknown): never {
  throw error;
}

/** What no other client may be shown. */
const BAD_INFO: readonly [string, unknown][] = [
  ['null', null],
  ['empty', ''],
  ['an object', { name: 'Ada' }],
  ['a number', 1],
  ['no JSON', '{name:1}'],
  ['undefined as a text', 'undefined'],
  ['JSON and more', '{},"event":"pusher:error"'],
];

describe('An auth provider that answers no decision', () => {
  it.each(NONSENSE)('lets nobody subscribe: %s', async (_what, answer) => {
    t.provider.answer = answer;
    for (const channel of ['private-a', 'presence-a']) {
      const error = await refusalOf(t.subscribe(channel, { auth: 'x', channelData: '{"user_id":"ada"}' }));
      expect(error).toBeInstanceOf(SubscriptionError);
      expect(error).toMatchObject({ channel, type: 'AuthTimeout', message: 'The authorization failed' });
    }
    expect(t.counted).toEqual({ worker_error: 2 });
    expect(t.failed.map(({ channel, failure }) => [channel, failure])).toEqual([
      ['private-a', 'worker_error'],
      ['presence-a', 'worker_error'],
    ]);
  });

  it.each(NONSENSE)('lets nobody sign in: %s', async (_what, answer) => {
    t.provider.answer = answer;
    const error = await refusalOf(t.signIn());
    expect(error).toBeInstanceOf(PusherError);
    expect(error).toMatchObject({ data: { code: 4009 } });
    expect(t.counted).toEqual({ worker_error: 1 });
    expect(t.failed).toMatchObject([{ channel: undefined, failure: 'worker_error' }]);
  });

  it('is logged once for many, and what it throws now and then only', async () => {
    t.provider.answer = () => fail(new Error('broken'));
    for (let i = 0; i < 20; i++) await refusalOf(t.subscribe('private-a'));
    expect(logged).toEqual(['auth provider threw']);
    expect(t.counted).toEqual({ worker_error: 20 });
  });
});

describe('Permission for a presence channel', () => {
  const presence = () => t.subscribe('presence-a', { auth: 'x' });

  it.each([undefined, null])('is none without a member: %j', async (member) => {
    t.provider.answer = () => ({ decision: 'allow', member });
    expect(await refusalOf(presence())).toMatchObject({ type: 'AuthError', message: 'Missing channel_data' });
    expect(t.counted).toEqual({ missing_channel_data: 1 });
    expect(t.failed).toHaveLength(1);
  });

  it.each<[string, unknown]>([
    ['an empty one', {}],
    ['a text', 'ada'],
    ['a number', 1],
    ['one in the protocol’s own words', { user_id: 'ada' }],
    ['an id that is a number', { userId: 1 }],
    ['an id that is an object', { userId: { toString: () => 'ada' } }],
    ['an id that is a text object', { userId: Object('ada') as unknown }],
    ['an id that is empty', { userId: '' }],
    ['an id that is null', { userId: null }],
    ['an id that cannot be read', unreadable('userId')],
    ['an info that cannot be read', unreadable('userInfoJson', { userId: 'ada' })],
    ...BAD_INFO.map(([what, userInfoJson]): [string, unknown] => [`an info: ${what}`, { userId: 'ada', userInfoJson }]),
    ...[null, 7, '', '8', '"7"', '7,8', '{}'].map((userIdJson): [string, unknown] => [
      `the id 7 as JSON: ${JSON.stringify(userIdJson)}`,
      { userId: '7', userIdJson },
    ]),
  ])('is none with a member that is none: %s', async (_what, member) => {
    for (const answer of [
      () => ({ decision: 'allow', member }),
      () => Promise.resolve({ decision: 'allow', member }),
    ]) {
      t.provider.answer = answer;
      expect(await refusalOf(presence())).toMatchObject({ type: 'AuthTimeout' });
    }
    expect(t.counted).toEqual({ worker_error: 2 });
    expect(t.failed).toHaveLength(2);
  });

  it('may say that the id is a number', async () => {
    const member = { userId: '7', userIdJson: '7', userInfoJson: '{}' };
    t.provider.answer = () => ({ decision: 'allow', member });
    expect((await presence()).member).toEqual(member);
  });

  it('is none when the member itself cannot be read', async () => {
    t.provider.answer = () => unreadable('member', { decision: 'allow' });
    expect(await refusalOf(presence())).toMatchObject({ type: 'AuthTimeout' });
    expect(t.counted).toEqual({ worker_error: 1 });
  });

  it.each([
    [{ userId: 'x'.repeat(129) }, 'user_id exceeds the allowed maximum (128 bytes)'],
    [{ userId: 'ada', userInfoJson: `"${'x'.repeat(2_048)}"` }, 'user_info exceeds the allowed maximum (2048 bytes)'],
  ])('has the app’s limits', async (member, message) => {
    t.provider.answer = () => ({ decision: 'allow', member });
    expect(await refusalOf(presence())).toMatchObject({ type: 'LimitReached', message });
  });

  it('is the member and nothing else that the provider has put there', async () => {
    const member = { userId: '__proto__', userInfoJson: '{"name":"Ada"}', password: 'x', toJSON: () => 'forged' };
    t.provider.answer = () => ({ decision: 'allow', member, channel: 'presence-b' });
    const grant = await presence();
    expect(grant.channel.name).toBe('presence-a');
    expect(grant.member).toEqual({ userId: '__proto__', userInfoJson: '{"name":"Ada"}' });
    expect(t.failed).toEqual([]);
  });

  it('may leave the info out', async () => {
    t.provider.answer = () => ({ decision: 'allow', member: { userId: 'ada', userInfoJson: undefined } });
    expect((await presence()).member).toEqual({ userId: 'ada' });
  });
});

describe('Permission for a private channel', () => {
  it.each([undefined, null, 'ada', { userId: 1 }, unreadable('userId')])(
    'needs no member and looks at none',
    async (member) => {
      t.provider.answer = () => ({ decision: 'allow', member });
      const grant = await t.subscribe('private-a');
      expect(grant.channel.name).toBe('private-a');
      expect(grant).not.toHaveProperty('member');
    },
  );
});

describe('A user', () => {
  const valid = { id: 'ada', watchlist: [] };

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a text', 'ada'],
    ['an empty one', {}],
    ['an id that is a number', { ...valid, id: 1 }],
    ['an id that is an object', { ...valid, id: {} }],
    ['an id that is empty', { ...valid, id: '' }],
    ['an id that is too long', { ...valid, id: 'ü'.repeat(65) }],
    ['an id that cannot be read', unreadable('id', { watchlist: [] })],
    ['no watchlist', { id: 'ada' }],
    ['a watchlist that is null', { ...valid, watchlist: null }],
    ['a watchlist that is a text', { ...valid, watchlist: 'ada' }],
    ['a watchlist of numbers', { ...valid, watchlist: ['a', 1] }],
    ['a watchlist with holes', { ...valid, watchlist: Array.from({ length: 1 }).concat('a') }],
    ['a watchlist with real holes', { ...valid, watchlist: [, 'a'] }],
    ...BAD_INFO.map(([what, userInfoJson]): [string, unknown] => [`an info: ${what}`, { ...valid, userInfoJson }]),
  ])('is nobody: %s', async (_what, user) => {
    t.provider.answer = () => ({ decision: 'allow', user });
    expect(await refusalOf(t.signIn())).toMatchObject({ data: { code: 4009 } });
    expect(t.counted).toEqual({ worker_error: 1 });
    expect(t.failed).toHaveLength(1);
  });

  it('is who the provider says, and nothing else that it has put there', async () => {
    const watchlist = ['bob'];
    t.provider.answer = () => ({ decision: 'allow', user: { ...valid, userInfoJson: '1', watchlist, password: 'x' } });
    const user = await t.signIn();
    watchlist.push('eve');
    expect(user).toEqual({ id: 'ada', userInfoJson: '1', watchlist: ['bob'] });
    t.provider.answer = () => Promise.resolve({ decision: 'allow', user: valid });
    expect(await t.signIn()).toEqual(valid);
    expect(t.failed).toEqual([]);
  });
});
