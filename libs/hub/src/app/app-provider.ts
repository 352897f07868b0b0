import type { App } from './app.js';

/** What became of an app while the server runs. */
export interface AppChange {
  readonly appId: string;
  /** `removed` closes the app's connections with 4001, `disabled` with 4003; `updated` keeps them. */
  readonly change: 'removed' | 'disabled' | 'updated';
}

/**
 * Where apps come from: configuration, a database, another service. Called for every connection and HTTP request, so
 * an implementation over I/O caches. A rejected promise refuses the one request, and is logged.
 */
export abstract class AppProvider {
  abstract findById(id: string): Promise<App | undefined>;
  abstract findByKey(key: string): Promise<App | undefined>;
  /** Calls `listener` after every change; there is one listener, the hub. Providers of fixed apps never call it. */
  abstract onChange(listener: (change: AppChange) => void): void;
}
