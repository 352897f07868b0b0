import type { App } from './app.js';

/** What became of an app while the server runs. */
export interface AppChange {
  readonly appId: string;
  /** `removed` closes the app's connections with 4001, `disabled` with 4003; `updated` keeps them. */
  readonly change: 'removed' | 'disabled' | 'updated';
}

/**
 * Where apps come from: configuration, a database, another service. `AppDefaults` completes what they leave out. Given to
 * `GatewayModule.forRoot({ apps })` its answers are kept for {@link cacheTtlMs}. Contract suite: `appProviderContract`.
 *
 * A look-up that rejects, takes longer than `authTimeoutMs`, or answers something else, refuses the one connection or
 * request (HTTP 503; publish status 6), is logged, and takes nothing away from apps that were found before.
 */
export abstract class AppProvider {
  /** How long an answer may be used again, ms; 0 = the provider is asked every time, also for every publish. */
  readonly cacheTtlMs: number = 10_000;

  /** The app, or undefined when there is none. */
  abstract findById(id: string): Promise<App | undefined>;
  abstract findByKey(key: string): Promise<App | undefined>;

  /**
   * Calls `listener` after every change, when look-ups answer accordingly; there is one listener. A provider that does
   * not know when its apps change may do nothing: then a change is seen when a look-up's answer is too old.
   */
  onChange(_listener: (change: AppChange) => void): void {
    // Nothing to tell.
  }
}
