import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CachedTable, testApp, TTL_MS } from '../testing/app-table.js';
import { UnavailableError } from '../unavailable-error.js';

let t: CachedTable;
let logged: string[];

beforeEach(() => {
  logged = [];
  vi.spyOn(Logger.prototype, 'error').mockImplementation((message: unknown) => void logged.push(String(message)));
  t = new CachedTable();
});
afterEach(() => vi.restoreAllMocks());

describe('Nonsense', () => {
  const good = { ...testApp('a') };
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
    ['another app', testApp('b')],
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
    ['a rate limit of nothing', { ...good, httpRateLimit: 0 }],
    ['a message rate of nothing', { ...good, clientMessageRate: { perSecond: 0, burst: 1 } }],
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
    t.table.answer = () => Promise.resolve(answer);
    await expect(t.cache.findById('a')).rejects.toThrow(UnavailableError);
    expect(logged).toHaveLength(1);
    t.table.answer = undefined;
    expect(await t.cache.findById('a')).toEqual(good);
    expect(t.changes).toEqual([]);
  });

  it('does not take the place of what was known', async () => {
    const known = await t.cache.findById('a');
    t.table.answer = () => Promise.resolve({ id: 'a' });
    t.now = TTL_MS;
    expect(await t.cache.findById('a')).toBe(known);
    expect(t.changes).toEqual([]);
  });

  it.each([null, undefined])('is not %j: nobody has that name', async (answer) => {
    t.table.answer = () => Promise.resolve(answer);
    expect(await t.cache.findById('a')).toBeUndefined();
    expect(logged).toEqual([]);
  });

  it('is not an app without a promise around it, or one without what has a default', async () => {
    t.table.answer = () => ({ id: 'a', key: 'key-a', secret: 'secret-a', limits: null });
    expect(await t.cache.findById('a')).toEqual(good);
  });

  it('is not an app whose settings are accessors: none of them is lost', async () => {
    t.table.answer = () => Promise.resolve(new Row());
    expect(await t.cache.findById('a')).toMatchObject({ id: 'a', secret: 'secret-a', enabled: false });
  });
});
