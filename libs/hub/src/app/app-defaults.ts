import type { DialectName } from '@pogo/pusher-protocol';
import { completeApp, type App, type AppSettings } from './app.js';

/**
 * The server's settings for apps that do not have their own. An {@link AppProvider} injects it, so that a row of a table
 * needs no more than an id, a key and a secret.
 */
export class AppDefaults {
  constructor(private readonly defaults: Partial<AppSettings> = {}) {}

  /** What is spoken where there is no app: to unknown keys, on unknown routes. */
  get dialect(): DialectName {
    return this.defaults.dialect ?? 'pusher';
  }

  /** @throws TypeError as {@link completeApp}. */
  complete(settings: AppSettings): App {
    return completeApp({ ...this.defaults, ...settings, limits: { ...this.defaults.limits, ...settings.limits } });
  }
}
