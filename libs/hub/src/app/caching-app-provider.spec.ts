import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CachedTable, heldAnswer, testApp, TTL_MS } from '../testing/app-table.js';
import { UnavailableError } from '../unavailable-error.js';
import type { App } from './app.js';

let t: CachedTable;
let logged: string[];

beforeEach(() => {
  logged = [];
  vi.spyOn(Logger.prototype, 'error').mockImplementation((message: unknown) => void logged.push(String(message)));
  t = new CachedTable();
});
afterEach(() => vi.restoreAllMocks());

const fail = () => Promise.reject(new Error('the database is away'));

describe('An answer', () => {
  it('is kept under the app’s id and its key, however it was asked for', async () => {
    const found = await t.cache.findByKey('key-a');
    expect(found).toMatchObject({ id: 'a', secret: 'secret-a' });
    expect(await t.cache.findById('a')).toBe(found);
    expect(await t.cache.findByKey('key-a')).toBe(found);
    expect(t.table.asked).toEqual(['key:key-a']);
  });

  it('is used until it is too old', async () => {
    await t.cache.findById('a');
    t.now = TTL_MS - 1;
    await t.cache.findById('a');
    expect(t.table.asked).toHaveLength(1);
    t.now = TTL_MS;
    await t.cache.findById('a');
    expect(t.table.asked).toHaveLength(2);
  });

  it('is asked for once however many want to know', async () => {
    const { answer, release } = heldAnswer<App>();
    t.table.answer = answer;
    const looking = Promise.all(Array.from({ length: 100 }, () => t.cache.findByKey('key-a')));
    release(testApp('a'));
    expect(new Set(await looking).size).toBe(1);
    expect(t.table.asked).toHaveLength(1);
  });

  it('is asked for every time with a time to live of 0', async () => {
    t = new CachedTable({ ttlMs: 0 });
    for (let i = 0; i < 3; i++) {
      expect(await t.cache.findById('a')).toMatchObject({ id: 'a' });
      expect(await t.cache.findById('b')).toBeUndefined();
    }
    expect(t.table.asked).toHaveLength(6);
  });

  it('does not mix up ids and keys', async () => {
    t.table.rows = [testApp('a', { key: 'b' }), testApp('b', { key: 'a' })];
    for (let i = 0; i < 2; i++) {
      expect(await t.cache.findById('a')).toMatchObject({ id: 'a' });
      expect(await t.cache.findByKey('a')).toMatchObject({ id: 'b' });
    }
  });
});

describe('A name that nobody has', () => {
  it.each(['', '__proto__', 'constructor', 'x'])('is remembered as well: %j', async (name) => {
    for (let i = 0; i < 3; i++) {
      expect(await t.cache.findById(name)).toBeUndefined();
      expect(await t.cache.findByKey(name)).toBeUndefined();
    }
    expect(t.table.asked).toEqual([`id:${name}`, `key:${name}`]);
    t.now = TTL_MS;
    await t.cache.findById(name);
    expect(t.table.asked).toHaveLength(3);
  });

  it('does not push out an app that is known, and old ones make room', async () => {
    await t.cache.findById('a');
    for (let i = 0; i <= 4_096; i++) await t.cache.findByKey(`made-up-${i}`);
    t.table.asked.length = 0;
    await t.cache.findByKey('made-up-4096');
    await t.cache.findById('a');
    expect(t.table.asked).toEqual([]);
    await t.cache.findByKey('made-up-0');
    expect(t.table.asked).toEqual(['key:made-up-0']);
  });

  it('is not remembered when it is long', async () => {
    const long = 'x'.repeat(10_000);
    for (let i = 0; i < 2; i++) expect(await t.cache.findByKey(long)).toBeUndefined();
    expect(t.table.asked).toHaveLength(2);
  });

  it('is found when it was added, once the miss is too old', async () => {
    expect(await t.cache.findByKey('key-b')).toBeUndefined();
    t.table.rows = [testApp('a'), testApp('b')];
    t.now = TTL_MS;
    expect(await t.cache.findByKey('key-b')).toMatchObject({ id: 'b' });
    expect(t.changes).toEqual([]);
  });

  it('is remembered no longer when an app is found that has it', async () => {
    expect(await t.cache.findByKey('key-b')).toBeUndefined();
    t.table.rows = [testApp('a'), testApp('b')];
    expect(await t.cache.findById('b')).toMatchObject({ id: 'b' });
    expect(await t.cache.findByKey('key-b')).toMatchObject({ id: 'b' });
  });
});

it('The apps that are kept are bounded', async () => {
  t.table.rows = Array.from({ length: 4_097 }, (_, i) => testApp(`app-${i}`));
  for (const { id } of t.table.rows) await t.cache.findById(id);
  t.table.asked.length = 0;
  await t.cache.findByKey('key-app-1');
  expect(t.table.asked).toEqual([]);
  await t.cache.findByKey('key-app-0');
  expect(t.table.asked).toEqual(['key:key-app-0']);
});

const NOTHING = undefined as unknown as Error;
const UNPRINTABLE = Object.create(null) as Error;

describe('A provider that fails', () => {
  it.each<[string, () => unknown]>([
    ['rejects', fail],
    ['rejects with undefined', () => Promise.reject(NOTHING)],
    ['rejects with what cannot be printed', () => Promise.reject(UNPRINTABLE)],
    [
      'throws',
      () => {
        throw new Error('the pool is closed');
      },
    ],
  ])('and %s makes the look-up unavailable, without effect', async (_how, answer) => {
    t.table.answer = answer;
    const error: unknown = await t.cache.findByKey('key-a').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ outcome: 'not_done' });
  });

  it('and hangs makes the look-up unavailable after its time, for everybody who waits', async () => {
    t = new CachedTable({ timeoutMs: 5 });
    t.table.answer = () => new Promise(() => undefined);
    for (const { status, ...rest } of await Promise.allSettled([t.cache.findById('a'), t.cache.findById('a')])) {
      expect(status).toBe('rejected');
      expect(rest).toMatchObject({ reason: { message: expect.stringContaining('5 ms') as string } });
    }
    expect(t.table.asked).toHaveLength(1);
    t.table.answer = undefined;
    expect(await t.cache.findById('a')).toMatchObject({ id: 'a' });
  });

  it.each([() => Promise.resolve(testApp('a')), fail])('or answers leaves no timer behind', async (answer) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      t.table.answer = answer;
      const looking = t.cache.findById('a').catch(() => undefined);
      expect(vi.getTimerCount()).toBe(1);
      await looking;
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves what was known in force, and is asked again after a second', async () => {
    const known = await t.cache.findById('a');
    t.table.answer = fail;
    t.now = TTL_MS;
    expect(await t.cache.findById('a')).toBe(known);
    t.now += 999;
    expect(await t.cache.findByKey('key-a')).toBe(known);
    expect(t.table.asked).toHaveLength(2);
    t.now += 1;
    expect(await t.cache.findByKey('key-a')).toBe(known);
    expect(t.table.asked).toHaveLength(3);
    t.table.answer = undefined;
    t.table.rows = [testApp('a', { clientEvents: false })];
    t.now += 1_000;
    expect(await t.cache.findByKey('key-a')).toMatchObject({ clientEvents: false });
    expect(t.changes).toEqual([{ appId: 'a', change: 'updated' }]);
  });

  it('is not believed to have said that a name is nobody’s', async () => {
    t.table.answer = fail;
    await expect(t.cache.findById('a')).rejects.toThrow(UnavailableError);
    t.table.answer = undefined;
    expect(await t.cache.findById('a')).toMatchObject({ id: 'a' });
  });

  it('has no more than 256 look-ups at once', async () => {
    const { answer, release } = heldAnswer<undefined>();
    await t.cache.findById('a');
    t.table.answer = answer;
    t.now = TTL_MS;
    const looking = Array.from({ length: 256 }, (_, i) => t.cache.findByKey(`made-up-${i}`));
    await expect(t.cache.findByKey('one-more')).rejects.toThrow('too many look-ups at once');
    expect(await t.cache.findById('a')).toMatchObject({ id: 'a' });
    expect(t.table.asked).toHaveLength(257);
    release(undefined);
    await Promise.all(looking);
    expect(await t.cache.findByKey('one-more')).toBeUndefined();
  });

  it('counts those among them that were under way when an app changed', async () => {
    const { answer, release } = heldAnswer<undefined>();
    t.table.answer = answer;
    const looking = Array.from({ length: 256 }, (_, i) => t.cache.findByKey(`made-up-${i}`));
    t.table.listener({ appId: 'a', change: 'updated' });
    await expect(t.cache.findByKey('one-more')).rejects.toThrow('too many look-ups at once');
    release(undefined);
    await Promise.all(looking);
  });

  it('is logged now and then, without what is nobody’s business', async () => {
    t.table.answer = () => Promise.resolve({ ...testApp('b'), id: 'another' });
    for (let i = 0; i < 50; i++) await t.cache.findByKey(`made-up-${i}`).catch(() => undefined);
    expect(logged).toHaveLength(1);
    expect(logged[0]).not.toContain('secret-b');
    t.now = 10_000;
    await t.cache.findByKey('made-up').catch(() => undefined);
    expect(logged).toHaveLength(2);
  });
});
