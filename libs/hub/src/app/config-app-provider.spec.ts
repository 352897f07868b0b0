import { describe, expect, it } from 'vitest';
import { completeApp, type App } from './app.js';
import type { AppChange } from './app-provider.js';
import { ConfigAppProvider } from './config-app-provider.js';

const app = (id: string, more: Partial<App> = {}) =>
  completeApp({ id, key: `key-${id}`, secret: `secret-${id}`, ...more });

/** A provider and everything it tells its listener. */
function listening(...apps: App[]): { provider: ConfigAppProvider; changes: AppChange[] } {
  const provider = new ConfigAppProvider(apps);
  const changes: AppChange[] = [];
  provider.onChange((change) => changes.push(change));
  return { provider, changes };
}

describe('The apps of the configuration', () => {
  it('are found by id and by key', async () => {
    const [a, b] = [app('a'), app('b')];
    const provider = new ConfigAppProvider([a, b]);
    expect(await provider.findById('a')).toBe(a);
    expect(await provider.findByKey('key-b')).toBe(b);
  });

  it('are not found by the other of the two', async () => {
    const provider = new ConfigAppProvider([app('a')]);
    expect(await provider.findById('key-a')).toBeUndefined();
    expect(await provider.findByKey('a')).toBeUndefined();
  });

  it.each(['', 'b', 'A', ' a', '__proto__', 'constructor', 'toString'])('do not include %j', async (name) => {
    const provider = new ConfigAppProvider([app('a')]);
    expect(await provider.findById(name)).toBeUndefined();
    expect(await provider.findByKey(name)).toBeUndefined();
  });

  it('include disabled ones, which the edges refuse by name', async () => {
    expect(await new ConfigAppProvider([app('a', { enabled: false })]).findByKey('key-a')).toMatchObject({
      enabled: false,
    });
  });

  it('may not share an id or a key', () => {
    expect(() => new ConfigAppProvider([app('a'), app('a', { key: 'other' })])).toThrow('two apps have the same id');
    expect(() => new ConfigAppProvider([app('a'), app('b', { key: 'key-a' })])).toThrow('two apps have the same key');
  });
});

describe('A new list of apps', () => {
  it('takes the place of the old one', async () => {
    const { provider } = listening(app('a'));
    const b = app('b');
    provider.replace([b]);
    expect(await provider.findById('a')).toBeUndefined();
    expect(await provider.findByKey('key-a')).toBeUndefined();
    expect(await provider.findByKey('key-b')).toBe(b);
  });

  it('makes a removed app known', () => {
    const { provider, changes } = listening(app('a'), app('b'));
    provider.replace([app('b')]);
    expect(changes).toContainEqual({ appId: 'a', change: 'removed' });
    expect(changes).not.toContainEqual({ appId: 'b', change: 'removed' });
  });

  it('makes a disabled app known, once', () => {
    const { provider, changes } = listening(app('a'));
    provider.replace([app('a', { enabled: false })]);
    expect(changes).toEqual([{ appId: 'a', change: 'disabled' }]);
    provider.replace([app('a', { enabled: false })]);
    expect(changes.filter(({ change }) => change === 'disabled')).toHaveLength(1);
  });

  it('makes new settings known, and a new app to nobody', () => {
    const { provider, changes } = listening(app('a'));
    provider.replace([app('a', { clientEvents: false }), app('b')]);
    expect(changes).toEqual([{ appId: 'a', change: 'updated' }]);
  });

  it('is in force before anybody hears of it', async () => {
    const provider = new ConfigAppProvider([app('a')]);
    const seen: Promise<App | undefined>[] = [];
    provider.onChange(({ appId }) => seen.push(provider.findById(appId)));
    provider.replace([app('a', { clientEvents: false })]);
    expect(await Promise.all(seen)).toMatchObject([{ clientEvents: false }]);
  });

  it('that is broken changes nothing and tells nobody', async () => {
    const { provider, changes } = listening(app('a'));
    expect(() => provider.replace([app('b'), app('b', { key: 'other' })])).toThrow(TypeError);
    expect(() => provider.replace([app('b'), app('c', { key: 'key-b' })])).toThrow(TypeError);
    expect(await provider.findById('a')).toMatchObject({ id: 'a' });
    expect(await provider.findById('b')).toBeUndefined();
    expect(changes).toEqual([]);
  });
});

describe('An app', () => {
  it.each(['', 'a b', 'a/b', 'ä', 'x'.repeat(65), 'a\n'])('may not have the id %j', (id) => {
    expect(() => app(id)).toThrow(TypeError);
  });

  it('has the documented defaults for what it leaves out', () => {
    expect(app('a')).toMatchObject({
      enabled: true,
      dialect: 'pusher',
      clientEvents: true,
      maxConnections: undefined,
      maxChannelsPerConnection: 1_000,
      clientMessageRate: { perSecond: 50, burst: 20 },
      httpRateLimit: undefined,
      cacheTtlMs: 1_800_000,
    });
  });
});
