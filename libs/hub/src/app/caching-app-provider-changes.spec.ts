import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CachedTable, heldAnswer, testApp, TTL_MS } from '../testing/app-table.js';
import { UnavailableError } from '../unavailable-error.js';
import { parseAllowedOrigins } from './allowed-origins.js';
import type { App } from './app.js';

let t: CachedTable;

beforeEach(() => {
  vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  t = new CachedTable();
});
afterEach(() => vi.restoreAllMocks());

const fail = () => Promise.reject(new Error('the database is away'));

describe('A change that the provider tells of', () => {
  it.each(['removed', 'disabled', 'updated'] as const)('is told on, and in force at once: %s', async (change) => {
    await t.cache.findById('a');
    t.table.rows = change === 'removed' ? [] : [testApp('a', { enabled: change !== 'disabled', clientEvents: false })];
    const seen: Promise<App | undefined>[] = [];
    t.cache.onChange((each) => {
      t.changes.push(each);
      seen.push(t.cache.findByKey('key-a'));
    });
    t.table.listener({ appId: 'a', change });
    const [found] = await Promise.all(seen);
    if (change === 'removed') expect(found).toBeUndefined();
    else expect(found).toMatchObject({ enabled: change !== 'disabled', clientEvents: false });
    expect(t.changes).toEqual([{ appId: 'a', change }]);
  });

  it('is not undone by a failing provider: what was known is forgotten', async () => {
    await t.cache.findById('a');
    t.table.answer = fail;
    t.table.listener({ appId: 'a', change: 'disabled' });
    await expect(t.cache.findById('a')).rejects.toThrow(UnavailableError);
    await expect(t.cache.findByKey('key-a')).rejects.toThrow(UnavailableError);
  });

  it('is found by the next look-up that succeeds, when the first one after it fails', async () => {
    await t.cache.findById('a');
    t.table.rows = [testApp('a', { enabled: false })];
    const { answer } = t.table;
    t.table.answer = fail;
    t.table.listener({ appId: 'a', change: 'updated' });
    // What was known is better than nothing, for a moment.
    expect(await t.cache.findById('a')).toMatchObject({ enabled: true });
    t.changes.length = 0;
    t.table.answer = answer;
    t.now += TTL_MS;
    expect(await t.cache.findById('a')).toMatchObject({ enabled: false });
    expect(t.changes).toEqual([{ appId: 'a', change: 'disabled' }]);
  });

  it('makes an app that was added known at once', async () => {
    expect(await t.cache.findByKey('key-b')).toBeUndefined();
    t.table.rows = [testApp('a'), testApp('b')];
    t.table.listener({ appId: 'b', change: 'updated' });
    expect(await t.cache.findByKey('key-b')).toMatchObject({ id: 'b' });
  });

  it('leaves the other apps known', async () => {
    t.table.rows = [testApp('a'), testApp('b')];
    await t.cache.findById('a');
    await t.cache.findById('b');
    t.table.listener({ appId: 'a', change: 'updated' });
    t.table.asked.length = 0;
    await t.cache.findById('b');
    expect(t.table.asked).toEqual([]);
  });

  it('makes a look-up that was under way ask again', async () => {
    const { answer, release } = heldAnswer<App>();
    t.table.answer = answer;
    const looking = t.cache.findByKey('key-a');
    t.table.answer = undefined;
    t.table.rows = [];
    t.table.listener({ appId: 'a', change: 'removed' });
    release(testApp('a'));
    expect(await looking).toBeUndefined();
    expect(await t.cache.findById('a')).toBeUndefined();
    expect(t.table.asked).toEqual(['key:key-a', 'key:key-a', 'id:a']);
  });

  it('may be told of at every look-up', async () => {
    t.table.answer = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      t.table.listener({ appId: 'a', change: 'updated' });
      return testApp('a');
    };
    expect(await t.cache.findById('a')).toMatchObject({ id: 'a' });
    expect(t.table.asked).toHaveLength(2);
  });
});

describe('A change that nobody told of', () => {
  /** Lets the app be known, change, and be looked up when what was known is too old. */
  async function change(rows: readonly App[], look: 'findById' | 'findByKey' = 'findByKey'): Promise<void> {
    await t.cache.findById('a');
    t.table.rows = rows;
    t.now += TTL_MS;
    await t.cache[look](look === 'findById' ? 'a' : 'key-a');
    // A look-up that this one has caused.
    await new Promise((resolve) => setImmediate(resolve));
  }

  it.each(['findById', 'findByKey'] as const)('is noticed and told once, by %s', async (look) => {
    await change([testApp('a', { clientEvents: false })], look);
    expect(t.changes).toEqual([{ appId: 'a', change: 'updated' }]);
    await change([testApp('a', { clientEvents: false, limits: { ...testApp('a').limits, maxEventBytes: 1 } })], look);
    expect(t.changes).toHaveLength(2);
    await change(t.table.rows, look);
    expect(t.changes).toHaveLength(2);
  });

  it.each(['findById', 'findByKey'] as const)('is noticed when the app was disabled, by %s', async (look) => {
    await change([testApp('a', { enabled: false, clientEvents: false })], look);
    expect(t.changes).toEqual([{ appId: 'a', change: 'disabled' }]);
    await change([testApp('a', { enabled: false })], look);
    await change([testApp('a')], look);
    expect(t.changes.slice(1)).toEqual(Array(2).fill({ appId: 'a', change: 'updated' }));
  });

  it.each(['findById', 'findByKey'] as const)('is noticed when the app was removed, by %s', async (look) => {
    await change([], look);
    expect(t.changes).toEqual([{ appId: 'a', change: 'removed' }]);
    expect(await t.cache.findById('a')).toBeUndefined();
    expect(await t.cache.findByKey('key-a')).toBeUndefined();
    t.now += TTL_MS;
    expect(await t.cache.findById('a')).toBeUndefined();
    expect(t.changes).toHaveLength(1);
  });

  it('is none where an answer is another object with the same settings', async () => {
    const origins = () => parseAllowedOrigins(['https://example.com']);
    t.table.rows = [testApp('a', { allowedOrigins: origins() })];
    await change([testApp('a', { allowedOrigins: origins() })]);
    expect(t.changes).toEqual([]);
  });

  it('does not remove an app that has got another key', async () => {
    await change([testApp('a', { key: 'new' })]);
    expect(await t.cache.findByKey('key-a')).toBeUndefined();
    expect(await t.cache.findByKey('new')).toMatchObject({ id: 'a' });
    expect(t.changes).toEqual([{ appId: 'a', change: 'updated' }]);
  });

  it('takes an app’s old key away, when its new one is asked for first', async () => {
    await t.cache.findByKey('key-a');
    t.table.rows = [testApp('a', { key: 'new' })];
    expect(await t.cache.findByKey('new')).toMatchObject({ id: 'a' });
    expect(await t.cache.findByKey('key-a')).toBeUndefined();
    expect(t.changes).toEqual([{ appId: 'a', change: 'updated' }]);
  });

  it('gives a key that went to another app to that one, and leaves both apps there', async () => {
    await change([testApp('a', { key: 'new' }), testApp('b', { key: 'key-a' })]);
    expect(await t.cache.findByKey('key-a')).toMatchObject({ id: 'b' });
    expect(await t.cache.findById('a')).toMatchObject({ key: 'new' });
    expect(t.table.asked.slice(-2)).toEqual(['key:key-a', 'id:a']);
    expect(t.changes).toEqual([{ appId: 'a', change: 'updated' }]);
  });

  it('removes nothing while the provider cannot say whether the app is still there', async () => {
    await t.cache.findById('a');
    t.now = TTL_MS;
    t.table.answer = () => (t.table.asked.at(-1) === 'key:key-a' ? Promise.resolve(undefined) : fail());
    expect(await t.cache.findByKey('key-a')).toBeUndefined();
    await new Promise((resolve) => setImmediate(resolve));
    expect(t.changes).toEqual([]);
    expect(await t.cache.findById('a')).toMatchObject({ id: 'a' });
    expect(await t.cache.findByKey('key-a')).toBeUndefined();
    t.table.answer = undefined;
    t.table.rows = [];
    t.now += 1_000;
    expect(await t.cache.findById('a')).toBeUndefined();
    expect(t.changes).toEqual([{ appId: 'a', change: 'removed' }]);
  });

  it('may be told of after all while the provider is asked, and fails', async () => {
    let reject: (error: Error) => void = () => undefined;
    await t.cache.findById('a');
    t.now = TTL_MS;
    t.table.answer = () =>
      t.table.asked.at(-1) === 'key:key-a'
        ? Promise.resolve(undefined)
        : new Promise((_, rejectIt) => (reject = rejectIt));
    expect(await t.cache.findByKey('key-a')).toBeUndefined();
    t.table.listener({ appId: 'a', change: 'removed' });
    reject(new Error('the database is away'));
    // An unhandled rejection would fail the run.
    await new Promise((resolve) => setImmediate(resolve));
    expect(t.changes).toEqual([{ appId: 'a', change: 'removed' }]);
  });
});
