import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { completeApp } from '../app/app.js';
import { AuthHarness, refusalOf, unreadable } from '../testing/auth-harness.js';
import { AUTH_FAILURES, type AuthFailure } from './auth-provider.js';
import { NO_HANDSHAKE } from './handshake.js';

let t: AuthHarness;

beforeEach(() => {
  t = new AuthHarness();
  vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await t.close();
});

function fail(error: unknown): never {
  throw error;
}

describe('An auth provider that hangs', () => {
  it.each<[string, () => unknown]>([
    ['a promise', () => new Promise(() => undefined)],
    ['a thenable', () => ({ then: () => undefined })],
    ['a promise of a promise', () => Promise.resolve().then(() => new Promise(() => undefined))],
  ])('lets nobody in, counted once: %s', async (_what, answer) => {
    t.provider.answer = answer;
    expect(await refusalOf(t.subscribe('private-a'))).toMatchObject({ type: 'AuthTimeout' });
    expect(t.counted).toEqual({ dispatch_error: 1 });
    expect(await refusalOf(t.signIn())).toMatchObject({ data: { code: 4009 } });
    expect(t.counted).toEqual({ dispatch_error: 2 });
    expect(t.failed).toHaveLength(2);
  });

  it('is the only one that a timer waits for', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      for (const decision of ['allow', 'deny', 'not_mine']) {
        t.provider.answer = () => Promise.resolve({ decision });
        const answer = t.subscribe('private-a').catch(() => undefined);
        expect(vi.getTimerCount()).toBe(1);
        await answer;
        expect(vi.getTimerCount()).toBe(0);
      }
      t.provider.answer = () => ({ decision: 'allow' });
      const answer = t.subscribe('private-a');
      expect(vi.getTimerCount()).toBe(0);
      await answer;
    } finally {
      vi.useRealTimers();
    }
  });

  it('and fails when nobody waits any more disturbs nobody', async () => {
    let reject: (error: unknown) => void = () => undefined;
    t.provider.answer = () => new Promise((_resolve, rejectIt) => (reject = rejectIt));
    await refusalOf(t.subscribe('private-a'));
    reject(new Error('too late'));
    // An unhandled rejection would fail the run.
    await new Promise((resolve) => setImmediate(resolve));
    expect(t.counted).toEqual({ dispatch_error: 1 });
  });
});

describe('A refusal', () => {
  it.each<[AuthFailure, string]>(
    AUTH_FAILURES.map((failure) => [
      failure,
      ['concurrency_limit', 'dispatch_error', 'worker_error', 'circuit_open'].includes(failure)
        ? 'AuthTimeout'
        : 'AuthError',
    ]),
  )('is counted as the provider says: %s is an %s', async (failure, type) => {
    t.provider.answer = () => ({ decision: 'deny', reason: 'No', failure });
    expect(await refusalOf(t.subscribe('private-a'))).toMatchObject({ type, message: 'No' });
    expect(await refusalOf(t.signIn())).toMatchObject({
      data: { code: 4009, message: 'Signin authentication failed' },
    });
    expect(t.counted).toEqual({ [failure]: 2 });
  });

  it.each([undefined, null, 'because', '__proto__', 'toString', 1, {}])(
    'has no failure that nobody knows: %j',
    async (failure) => {
      t.provider.answer = () => ({ decision: 'deny', reason: 'No', failure });
      expect(await refusalOf(t.subscribe('private-a'))).toMatchObject({ type: 'AuthError', message: 'No' });
      expect(t.counted).toEqual({ denied: 1 });
    },
  );

  it.each([undefined, null, 1, {}, ['No']])(
    'has a reason for the client, whatever the provider said: %j',
    async (reason) => {
      t.provider.answer = () => ({ decision: 'deny', reason });
      expect(await refusalOf(t.subscribe('private-a'))).toMatchObject({ type: 'AuthError', message: 'Denied' });
    },
  );

  it('whose reason cannot be read is one all the same', async () => {
    t.provider.answer = () => unreadable('reason', { decision: 'deny' });
    expect(await refusalOf(t.subscribe('private-a'))).toMatchObject({ type: 'AuthTimeout' });
    expect(t.counted).toEqual({ worker_error: 1 });
  });

  it('is what comes of nobody’s decision: without a signature that is what is missing', async () => {
    expect(await refusalOf(t.subscribe('private-a'))).toMatchObject({
      type: 'AuthError',
      message: 'Missing signature',
    });
    expect(await refusalOf(t.subscribe('private-a', { auth: 'x' }))).toMatchObject({
      type: 'AuthError',
      message: 'Nobody authorizes this subscription',
    });
    expect(await refusalOf(t.signIn())).toMatchObject({ data: { code: 4009 } });
    expect(t.counted).toEqual({ missing_signature: 1, denied: 2 });
  });
});

describe('The provider', () => {
  it('is not asked about channels that need nobody’s permission, or cannot be', async () => {
    expect((await t.subscribe('room')).channel.kind).toBe('public');
    expect(await refusalOf(t.subscribe('private-a b'))).toMatchObject({ type: 'InvalidChannel' });
    expect(await refusalOf(t.subscribe('#server-to-user-ada'))).toMatchObject({ type: 'AuthError' });
    expect(t.provider.asked).toEqual([]);
  });

  it('is told what the client sent, and who has signed in', async () => {
    t.provider.answer = () => ({ decision: 'allow' });
    await t.subscribe('private-a', { auth: 'a', channelData: 'c' });
    t.connection.user = { id: 'ada', watchlist: [] };
    await t.subscribe('private-b');
    const { app, socketId } = t.connection;
    expect(t.provider.asked).toMatchObject([
      { app, socketId, handshake: NO_HANDSHAKE, channel: { name: 'private-a' }, auth: 'a', channelData: 'c' },
      { app, socketId, channel: { name: 'private-b' }, user: { id: 'ada' } },
    ]);
    expect(t.provider.asked[0]).not.toHaveProperty('user');
    expect(t.provider.asked[1]).not.toHaveProperty('auth');
  });
});

describe('What is kept of a handshake', () => {
  const app = completeApp({ id: '1', key: 'key', secret: 'secret' });
  const headers: Readonly<Record<string, string>> = { cookie: 'session=1', authorization: 'Bearer x' };
  const query: Readonly<Record<string, string>> = { token: 't', other: 'o' };
  const kept = () =>
    t.service.handshakeOf(app, '192.0.2.1', { header: (name) => headers[name], parameter: (name) => query[name] });

  it('is what the provider needs, as far as it is there', () => {
    t.provider.needs = () => ({ headers: ['cookie', 'x-missing'], query: ['token', 'missing'] });
    expect(kept()).toEqual({ clientIp: '192.0.2.1', headers: { cookie: 'session=1' }, query: { token: 't' } });
  });

  it('is nothing where it needs nothing', () => {
    for (const needs of [{}, { headers: [], query: [] }]) {
      t.provider.needs = () => needs;
      expect(kept()).toEqual({ clientIp: '192.0.2.1', headers: {}, query: {} });
    }
  });

  it.each<[string, () => unknown]>([
    ['throws', () => fail(new Error('broken'))],
    ['answers nothing', () => undefined],
    ['answers null', () => null],
    ['answers a text for names', () => ({ headers: 'cookie' })],
    ['answers null for names', () => ({ headers: null })],
    ['answers numbers for names', () => ({ headers: [1, null], query: [{}] })],
    ['answers a promise', () => Promise.resolve({ headers: ['cookie'] })],
    ['answers what cannot be read', () => unreadable('headers')],
  ])('is nothing when the provider %s', (_how, needs) => {
    t.provider.needs = needs;
    expect(kept()).toEqual({ clientIp: '192.0.2.1', headers: {}, query: {} });
  });

  it('is nothing of the prototype’s', () => {
    t.provider.needs = () => ({ headers: ['__proto__', 'constructor', 'tostring'], query: ['__proto__'] });
    expect(kept()).toEqual({ clientIp: '192.0.2.1', headers: {}, query: {} });
  });
});
