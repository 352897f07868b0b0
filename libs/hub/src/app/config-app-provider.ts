import { isDeepStrictEqual } from 'node:util';
import type { App } from './app.js';
import { AppProvider, type AppChange } from './app-provider.js';

/** The apps of the configuration, in memory. {@link replace} takes a new list while the server runs. */
export class ConfigAppProvider extends AppProvider {
  override readonly cacheTtlMs = 0;
  private byId = new Map<string, App>();
  private byKey = new Map<string, App>();
  private listener: (change: AppChange) => void = () => undefined;

  /** @throws TypeError when two apps share an id or a key. */
  constructor(apps: readonly App[]) {
    super();
    this.index(apps);
  }

  findById(id: string): Promise<App | undefined> {
    return Promise.resolve(this.byId.get(id));
  }

  findByKey(key: string): Promise<App | undefined> {
    return Promise.resolve(this.byKey.get(key));
  }

  /** Of the apps that there are now. */
  get ids(): Iterable<string> {
    return this.byId.keys();
  }

  override onChange(listener: (change: AppChange) => void): void {
    this.listener = listener;
  }

  /** @throws TypeError as the constructor does; the old apps stay then. */
  replace(apps: readonly App[]): void {
    const before = this.byId;
    this.index(apps);
    for (const old of before.values()) {
      const app = this.byId.get(old.id);
      if (app === undefined) this.listener({ appId: old.id, change: 'removed' });
      else if (old.enabled && !app.enabled) this.listener({ appId: old.id, change: 'disabled' });
      // Each change is a walk over all connections.
      else if (!isDeepStrictEqual(app, old)) this.listener({ appId: old.id, change: 'updated' });
    }
  }

  private index(apps: readonly App[]): void {
    const byId = new Map(apps.map((app) => [app.id, app]));
    const byKey = new Map(apps.map((app) => [app.key, app]));
    if (byId.size !== apps.length) throw new TypeError('two apps have the same id');
    if (byKey.size !== apps.length) throw new TypeError('two apps have the same key');
    this.byId = byId;
    this.byKey = byKey;
  }
}
