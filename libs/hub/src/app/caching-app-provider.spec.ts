import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnavailableError } from '../unavailable-error.js';
import { parseAllowedOrigins } from './allowed-origins.js';
import { completeApp, type App } from './app.js';
import { AppProvider, type AppChange } from './app-provider.js';
import { CachingAppProvider } from './caching-app-provider.js';

const TTL_MS = 10_000;

const app = (id: string, more: Partial<App> = {}) =>
  completeApp({ id, key: `key-${id}`, secret: `secret-${id}`, ...more });

/** A table that answers what it is told to, and remembers what it was asked. */
class Table extends AppProvider {
  readonly asked: string[] = [];
  rows: readonly App[] = [app('a')];
  /** Instead of the rows, when it is set. */
  answer: (() => unknown) | undefined;
  listener: (change: AppChange) => void = () => undefined;

  findById(id: string): Promise<App | undefined> {
    return this.ask(`id:${id}`, (row) => row.id === id);
  }

  findByKey(key: string): Promise<App | undefined> {
    return this.ask(`key:${key}`, (row) => row.key === key);
  }

  override onChange(listener: (change: AppChange) => void): void {
    this.listener = listener;
  }

  private ask(name: string, isWanted: (row: App) => boolean): Promise<App | undefined> {
    this.asked.push(name);
    if (this.answer !== undefined) return this.answer() as Promise<App | undefined>;
    return Promise.resolve(this.rows.find(isWanted));
  }
}

let table: Table;
let cache: CachingAppProvider;
let changes: AppChange[];
let now: number;
let logged: string[];

function create(options: { ttlMs?: number; timeoutMs?: number } = {}): void {
  table = new Table();
  cache = new CachingAppProvider(table, { ttlMs: TTL_MS, timeoutMs: 60_000, now: () => now, ...options });
  changes = [];
  cache.onChange((change) => changes.push(change));
}

beforeEach(() => {
  now = 0;
  logged = [];
  vi.spyOn(Logger.prototype, 'error').mockImplementation((message: unknown) => void logged.push(String(message)));
  create();
});
afterEach(() => vi.restoreAllMocks());

const fail = () => Promise.reject(new Error('the database is away'));

/** A look-up that is under way until it is let go. */
function held<T>(): { answer: () => Promise<T>; release: (value: T) => void } {
  let release: (value: T) => void = () => undefined;
  const pending = new Promise<T>((resolve) => (release = resolve));
  return { answer: () => pending, release };
}

describe('An answer', () => {
  it('is kept under the app’s id and its key, however it was asked for', async () => {
    const found = await cache.findByKey('key-a');
    expect(found).toMatchObject({ id: 'a', secret: 'secret-a' });
    expect(await cache.findById('a')).toBe(found);
    expect(await cache.findByKey('key-a')).toBe(found);
    expect(table.asked).toEqual(['key:key-a']);
  });

  it('is used until it is too old', async () => {
    await cache.findById('a');
    now = TTL_MS - 1;
    await cache.findById('a');
    expect(table.asked).toHaveLength(1);
    now = TTL_MS;
    await cache.findById('a');
    expect(table.asked).toHaveLength(2);
  });

  it('is asked for once however many want to know', async () => {
    const { answer, release } = held<App>();
    table.answer = answer;
    const looking = Promise.all(Array.from({ length: 100 }, () => cache.findByKey('key-a')));
    release(app('a'));
    expect(new Set(await looking).size).toBe(1);
    expect(table.asked).toHaveLength(1);
  });

  it('is asked for every time with a time to live of 0', async () => {
    create({ ttlMs: 0 });
    for (let i = 0; i < 3; i++) {
      expect(await cache.findById('a')).toMatchObject({ id: 'a' });
      expect(await cache.findById('b')).toBeUndefined();
    }
    expect(table.asked).toHaveLength(6);
  });

  it('does not mix up ids and keys', async () => {
    table.rows = [app('a', { key: 'b' }), app('b', { key: 'a' })];
    for (let i = 0; i < 2; i++) {
      expect(await cache.findById('a')).toMatchObject({ id: 'a' });
      expect(await cache.findByKey('a')).toMatchObject({ id: 'b' });
    }
  });
});

describe('A name that nobody has', () => {
  it.each(['', '__proto__', 'constructor', 'x'])('is remembered as well: %j', async (name) => {
    for (let i = 0; i < 3; i++) {
      expect(await cache.findById(name)).toBeUndefined();
      expect(await cache.findByKey(name)).toBeUndefined();
    }
    expect(table.asked).toEqual([`id:${name}`, `key:${name}`]);
    now = TTL_MS;
    await cache.findById(name);
    expect(table.asked).toHaveLength(3);
  });

  it('does not push out an app that is known, and old ones make room', async () => {
    await cache.findById('a');
    for (let i = 0; i <= 4_096; i++) await cache.findByKey(`made-up-${i}`);
    table.asked.length = 0;
    await cache.findByKey('made-up-4096');
    await cache.findById('a');
    expect(table.asked).toEqual([]);
    await cache.findByKey('made-up-0');
    expect(table.asked).toEqual(['key:made-up-0']);
  });

  it('is not remembered when it is long', async () => {
    const long = 'x'.repeat(10_000);
    for (let i = 0; i < 2; i++) expect(await cache.findByKey(long)).toBeUndefined();
    expect(table.asked).toHaveLength(2);
  });

  it('is found when it was added, once the miss is too old', async () => {
    expect(await cache.findByKey('key-b')).toBeUndefined();
    table.rows = [app('a'), app('b')];
    now = TTL_MS;
    expect(await cache.findByKey('key-b')).toMatchObject({ id: 'b' });
    expect(changes).toEqual([]);
  });

  it('is remembered no longer when an app is found that has it', async () => {
    expect(await cache.findByKey('key-b')).toBeUndefined();
    table.rows = [app('a'), app('b')];
    expect(await cache.findById('b')).toMatchObject({ id: 'b' });
    expect(await cache.findByKey('key-b')).toMatchObject({ id: 'b' });
  });
});

it('The apps that are kept are bounded', async () => {
  table.rows = Array.from({ length: 4_097 }, (_, i) => app(`app-${i}`));
  for (const { id } of table.rows) await cache.findById(id);
  table.asked.length = 0;
  await cache.findByKey('key-app-1');
  expect(table.asked).toEqual([]);
  await cache.findByKey('key-app-0');
  expect(table.asked).toEqual(['key:key-app-0']);
});

describe('A provider that fails', () => {
  it.each<[string, () => unknown]>([
    ['rejects', fail],
    ['rejects with undefined', () => Promise.reject(undefined as unknown as Error)],
    ['rejects with what cannot be printed', () => Promise.reject(Object.create(null) as Error)],
    [
      'throws',
      () => {
        throw new Error('the pool is closed');
      },
    ],
  ])('and %s makes the look-up unavailable, without effect', async (_how, answer) => {
    table.answer = answer;
    const error: unknown = await cache.findByKey('key-a').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ outcome: 'not_done' });
  });

  it('and hangs makes the look-up unavailable after its time, for everybody who waits', async () => {
    create({ timeoutMs: 5 });
    table.answer = () => new Promise(() => undefined);
    for (const { status, ...rest } of await Promise.allSettled([cache.findById('a'), cache.findById('a')])) {
      expect(status).toBe('rejected');
      expect(rest).toMatchObject({ reason: { message: expect.stringContaining('5 ms') as string } });
    }
    expect(table.asked).toHaveLength(1);
    table.answer = undefined;
    expect(await cache.findById('a')).toMatchObject({ id: 'a' });
  });

  it('leaves what was known in force, and is asked again after a second', async () => {
    const known = await cache.findById('a');
    table.answer = fail;
    now = TTL_MS;
    expect(await cache.findById('a')).toBe(known);
    now += 999;
    expect(await cache.findByKey('key-a')).toBe(known);
    expect(table.asked).toHaveLength(2);
    now += 1;
    expect(await cache.findByKey('key-a')).toBe(known);
    expect(table.asked).toHaveLength(3);
    table.answer = undefined;
    table.rows = [app('a', { clientEvents: false })];
    now += 1_000;
    expect(await cache.findByKey('key-a')).toMatchObject({ clientEvents: false });
    expect(changes).toEqual([{ appId: 'a', change: 'updated' }]);
  });

  it('is not believed to have said that a name is nobody’s', async () => {
    table.answer = fail;
    await expect(cache.findById('a')).rejects.toThrow(UnavailableError);
    table.answer = undefined;
    expect(await cache.findById('a')).toMatchObject({ id: 'a' });
  });

  it('has no more than 256 look-ups at once', async () => {
    const { answer, release } = held<undefined>();
    await cache.findById('a');
    table.answer = answer;
    now = TTL_MS;
    const looking = Array.from({ length: 256 }, (_, i) => cache.findByKey(`made-up-${i}`));
    await expect(cache.findByKey('one-more')).rejects.toThrow('too many look-ups at once');
    expect(await cache.findById('a')).toMatchObject({ id: 'a' });
    expect(table.asked).toHaveLength(257);
    release(undefined);
    await Promise.all(looking);
    expect(await cache.findByKey('one-more')).toBeUndefined();
  });

  it('counts those among them that were under way when an app changed', async () => {
    const { answer, release } = held<undefined>();
    table.answer = answer;
    const looking = Array.from({ length: 256 }, (_, i) => cache.findByKey(`made-up-${i}`));
    table.listener({ appId: 'a', change: 'updated' });
    await expect(cache.findByKey('one-more')).rejects.toThrow('too many look-ups at once');
    release(undefined);
    await Promise.all(looking);
  });

  it('is logged now and then, without what is nobody’s business', async () => {
    table.answer = () => Promise.resolve({ ...app('b'), id: 'another' });
    for (let i = 0; i < 50; i++) await cache.findByKey(`made-up-${i}`).catch(() => undefined);
    expect(logged).toHaveLength(1);
    expect(logged[0]).not.toContain('secret-b');
    now = 10_000;
    await cache.findByKey('made-up').catch(() => undefined);
    expect(logged).toHaveLength(2);
  });
});

describe('Nonsense', () => {
  const good = { ...app('a') };
  /** As an object mapper does it: nothing is the object's own. */
  class Row {
    readonly row = { id: 'a', key: 'key-a', secret: 'secret-a', enabled: false };
    get id(): string {
      return this.row.id;
    }
    get key(): string {
      return this.row.key;
    }
    get secret(): string {
      return this.row.secret;
    }
    get enabled(): boolean {
      return this.row.enabled;
    }
  }

  it.each<[string, unknown]>([
    ['a text', 'a'],
    ['true', true],
    ['a number', 1],
    ['an empty list', []],
    ['a list of rows', [good]],
    ['an empty object', {}],
    ['another app', app('b')],
    ['an id that is a number', { ...good, id: 1 }],
    ['no id', { ...good, id: null }],
    ['no key', { ...good, key: null }],
    ['no secret', { ...good, secret: null }],
    ['an empty secret', { ...good, secret: '' }],
    ['a secret of bytes', { ...good, secret: Buffer.from('secret') }],
    ['enabled as SQLite says it', { ...good, enabled: 1 }],
    ['enabled that is null', { ...good, enabled: null }],
    ['enabled that is undefined', { ...good, enabled: undefined }],
    ['clientEvents that is a text', { ...good, clientEvents: 'false' }],
    ['a dialect that nobody speaks', { ...good, dialect: '__proto__' }],
    ['origins that are a list', { ...good, allowedOrigins: ['*'] }],
    ['origins that are null', { ...good, allowedOrigins: null }],
    ['a quota that is null', { ...good, maxConnections: null }],
    ['a quota that is no number', { ...good, maxConnections: NaN }],
    ['a limit of channels that is a text', { ...good, maxChannelsPerConnection: '100' }],
    ['a limit of channels that is undefined', { ...good, maxChannelsPerConnection: undefined }],
    ['a rate that is a number', { ...good, clientMessageRate: 10 }],
    ['a rate without a burst', { ...good, clientMessageRate: { perSecond: 10 } }],
    ['a negative rate limit', { ...good, httpRateLimit: -1 }],
    ['an endpoint that is no URL', { ...good, authEndpoint: 'file:///etc/passwd' }],
    ['an endpoint that is null', { ...good, authEndpoint: null }],
    ['a time to live that is endless', { ...good, cacheTtlMs: Infinity }],
    ['a limit that is a text', { ...good, limits: { ...good.limits, maxEventBytes: '1000' } }],
    ['a limit that is null', { ...good, limits: { ...good.limits, presenceMaxMembers: null } }],
    ['a limit that is undefined', { ...good, limits: { maxChannelNameLength: undefined } }],
    [
      'an app whose accessor throws',
      {
        get id() {
          throw new Error('lazy loading has failed');
        },
      },
    ],
  ])('is no app: %s', async (_what, answer) => {
    table.answer = () => Promise.resolve(answer);
    await expect(cache.findById('a')).rejects.toThrow(UnavailableError);
    expect(logged).toHaveLength(1);
    table.answer = undefined;
    expect(await cache.findById('a')).toEqual(good);
    expect(changes).toEqual([]);
  });

  it('does not take the place of what was known', async () => {
    const known = await cache.findById('a');
    table.answer = () => Promise.resolve({ id: 'a' });
    now = TTL_MS;
    expect(await cache.findById('a')).toBe(known);
    expect(changes).toEqual([]);
  });

  it.each([null, undefined])('is not %j: nobody has that name', async (answer) => {
    table.answer = () => Promise.resolve(answer);
    expect(await cache.findById('a')).toBeUndefined();
    expect(logged).toEqual([]);
  });

  it('is not an app without a promise around it, or one without what has a default', async () => {
    table.answer = () => ({ id: 'a', key: 'key-a', secret: 'secret-a', limits: null });
    expect(await cache.findById('a')).toEqual(good);
  });

  it('is not an app whose settings are accessors: none of them is lost', async () => {
    table.answer = () => Promise.resolve(new Row());
    expect(await cache.findById('a')).toMatchObject({ id: 'a', secret: 'secret-a', enabled: false });
  });
});

describe('A change that the provider tells of', () => {
  it.each(['removed', 'disabled', 'updated'] as const)('is told on, and in force at once: %s', async (change) => {
    await cache.findById('a');
    table.rows = change === 'removed' ? [] : [app('a', { enabled: change !== 'disabled', clientEvents: false })];
    const seen: Promise<App | undefined>[] = [];
    cache.onChange((each) => {
      changes.push(each);
      seen.push(cache.findByKey('key-a'));
    });
    table.listener({ appId: 'a', change });
    const [found] = await Promise.all(seen);
    if (change === 'removed') expect(found).toBeUndefined();
    else expect(found).toMatchObject({ enabled: change !== 'disabled', clientEvents: false });
    expect(changes).toEqual([{ appId: 'a', change }]);
  });

  it('is not undone by a failing provider: what was known is forgotten', async () => {
    await cache.findById('a');
    table.answer = fail;
    table.listener({ appId: 'a', change: 'disabled' });
    await expect(cache.findById('a')).rejects.toThrow(UnavailableError);
    await expect(cache.findByKey('key-a')).rejects.toThrow(UnavailableError);
  });

  it('makes an app that was added known at once', async () => {
    expect(await cache.findByKey('key-b')).toBeUndefined();
    table.rows = [app('a'), app('b')];
    table.listener({ appId: 'b', change: 'updated' });
    expect(await cache.findByKey('key-b')).toMatchObject({ id: 'b' });
  });

  it('leaves the other apps known', async () => {
    table.rows = [app('a'), app('b')];
    await cache.findById('a');
    await cache.findById('b');
    table.listener({ appId: 'a', change: 'updated' });
    table.asked.length = 0;
    await cache.findById('b');
    expect(table.asked).toEqual([]);
  });

  it('makes a look-up that was under way ask again', async () => {
    const { answer, release } = held<App>();
    table.answer = answer;
    const looking = cache.findByKey('key-a');
    table.answer = undefined;
    table.rows = [];
    table.listener({ appId: 'a', change: 'removed' });
    release(app('a'));
    expect(await looking).toBeUndefined();
    expect(await cache.findById('a')).toBeUndefined();
    expect(table.asked).toEqual(['key:key-a', 'key:key-a', 'id:a']);
  });

  it('may be told of at every look-up', async () => {
    table.answer = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      table.listener({ appId: 'a', change: 'updated' });
      return app('a');
    };
    expect(await cache.findById('a')).toMatchObject({ id: 'a' });
    expect(table.asked).toHaveLength(2);
  });
});

describe('A change that nobody told of', () => {
  /** Lets the app be known, change, and be looked up when what was known is too old. */
  async function change(rows: readonly App[], look: 'findById' | 'findByKey' = 'findByKey'): Promise<void> {
    await cache.findById('a');
    table.rows = rows;
    now += TTL_MS;
    await cache[look](look === 'findById' ? 'a' : 'key-a');
    // A look-up that this one has caused.
    await new Promise((resolve) => setImmediate(resolve));
  }

  it.each(['findById', 'findByKey'] as const)('is noticed and told once, by %s', async (look) => {
    await change([app('a', { clientEvents: false })], look);
    expect(changes).toEqual([{ appId: 'a', change: 'updated' }]);
    await change([app('a', { clientEvents: false, limits: { ...app('a').limits, maxEventBytes: 1 } })], look);
    expect(changes).toHaveLength(2);
    await change(table.rows, look);
    expect(changes).toHaveLength(2);
  });

  it.each(['findById', 'findByKey'] as const)('is noticed when the app was disabled, by %s', async (look) => {
    await change([app('a', { enabled: false, clientEvents: false })], look);
    expect(changes).toEqual([{ appId: 'a', change: 'disabled' }]);
    await change([app('a')], look);
    expect(changes[1]).toEqual({ appId: 'a', change: 'updated' });
  });

  it.each(['findById', 'findByKey'] as const)('is noticed when the app was removed, by %s', async (look) => {
    await change([], look);
    expect(changes).toEqual([{ appId: 'a', change: 'removed' }]);
    expect(await cache.findById('a')).toBeUndefined();
    expect(await cache.findByKey('key-a')).toBeUndefined();
    now += TTL_MS;
    expect(await cache.findById('a')).toBeUndefined();
    expect(changes).toHaveLength(1);
  });

  it('is none where an answer is another object with the same settings', async () => {
    const origins = () => parseAllowedOrigins(['https://example.com']);
    table.rows = [app('a', { allowedOrigins: origins() })];
    await change([app('a', { allowedOrigins: origins() })]);
    expect(changes).toEqual([]);
  });

  it('does not remove an app that has got another key', async () => {
    await change([app('a', { key: 'new' })]);
    expect(await cache.findByKey('key-a')).toBeUndefined();
    expect(await cache.findByKey('new')).toMatchObject({ id: 'a' });
    expect(changes).toEqual([{ appId: 'a', change: 'updated' }]);
  });

  it('takes an app’s old key away, when its new one is asked for first', async () => {
    await cache.findByKey('key-a');
    table.rows = [app('a', { key: 'new' })];
    expect(await cache.findByKey('new')).toMatchObject({ id: 'a' });
    expect(await cache.findByKey('key-a')).toBeUndefined();
    expect(changes).toEqual([{ appId: 'a', change: 'updated' }]);
  });

  it('gives a key that went to another app to that one, and leaves both apps there', async () => {
    await change([app('a', { key: 'new' }), app('b', { key: 'key-a' })]);
    expect(await cache.findByKey('key-a')).toMatchObject({ id: 'b' });
    expect(await cache.findById('a')).toMatchObject({ key: 'new' });
    expect(changes).toEqual([{ appId: 'a', change: 'updated' }]);
  });

  it('removes nothing while the provider cannot say whether the app is still there', async () => {
    await cache.findById('a');
    now = TTL_MS;
    table.answer = () => (table.asked.at(-1) === 'key:key-a' ? Promise.resolve(undefined) : fail());
    expect(await cache.findByKey('key-a')).toBeUndefined();
    await new Promise((resolve) => setImmediate(resolve));
    expect(changes).toEqual([]);
    expect(await cache.findById('a')).toMatchObject({ id: 'a' });
    expect(await cache.findByKey('key-a')).toBeUndefined();
    table.answer = undefined;
    table.rows = [];
    now += 1_000;
    expect(await cache.findById('a')).toBeUndefined();
    expect(changes).toEqual([{ appId: 'a', change: 'removed' }]);
  });
});
