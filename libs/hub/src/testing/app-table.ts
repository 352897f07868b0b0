import { completeApp, type App } from '../app/app.js';
import { AppProvider, type AppChange } from '../app/app-provider.js';
import { CachingAppProvider } from '../app/caching-app-provider.js';

export const TTL_MS = 10_000;

export const testApp = (id: string, more: Partial<App> = {}): App =>
  completeApp({ id, key: `key-${id}`, secret: `secret-${id}`, ...more });

/** A table of apps that answers what it is told to, and remembers what it was asked. */
export class AppTable extends AppProvider {
  /** `id:…` and `key:…`, in order. */
  readonly asked: string[] = [];
  rows: readonly App[] = [testApp('a')];
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

/** A table behind a cache whose clock is the test's. */
export class CachedTable {
  now = 0;
  readonly table = new AppTable();
  readonly cache: CachingAppProvider;
  /** What the cache has told its listener. */
  readonly changes: AppChange[] = [];

  constructor(options: { readonly ttlMs?: number; readonly timeoutMs?: number } = {}) {
    this.cache = new CachingAppProvider(this.table, {
      ttlMs: TTL_MS,
      timeoutMs: 60_000,
      now: () => this.now,
      ...options,
    });
    this.cache.onChange((change) => this.changes.push(change));
  }
}

/** A look-up that is under way until it is let go. */
export function heldAnswer<T>(): { answer: () => Promise<T>; release: (value: T) => void } {
  let release: (value: T) => void = () => undefined;
  const pending = new Promise<T>((resolve) => (release = resolve));
  return { answer: () => pending, release };
}
