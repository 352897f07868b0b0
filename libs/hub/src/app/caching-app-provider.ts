import { isDeepStrictEqual } from 'node:util';
import { Logger } from '@nestjs/common';
import { LogPause } from '../log-pause.js';
import { UnavailableError } from '../unavailable-error.js';
import { completeApp, type App } from './app.js';
import { AppProvider, type AppChange } from './app-provider.js';

/** Answers that are kept, misses included: who makes up keys must not fill the memory. */
const MAX_ENTRIES = 4_096;
/** Look-ups at once; more are refused. */
const MAX_LOOK_UPS = 256;
const RETRY_PAUSE_MS = 1_000;

export interface CachingAppProviderOptions {
  readonly ttlMs: number;
  /** How long a look-up may take. */
  readonly timeoutMs: number;
  /** Monotonic ms; replaced in tests. */
  readonly now?: () => number;
}

interface Entry {
  readonly app: App | undefined;
  readonly expiresAt: number;
}

/**
 * Stands between the server and an {@link AppProvider} over I/O: keeps its answers, asks once however many want to know,
 * and goes on with what it knew while the provider fails. Notices by itself when a fresh answer differs from the last.
 */
export class CachingAppProvider extends AppProvider {
  override readonly cacheTtlMs = 0;
  private readonly logger = new Logger(AppProvider.name);
  /** By `id:…` and `key:…`, the least recently asked for first. */
  private readonly entries = new Map<string, Entry>();
  private readonly lookUps = new Map<string, Promise<App | undefined>>();
  private readonly now: () => number;
  private listener: (change: AppChange) => void = () => undefined;
  private readonly pause: LogPause;

  constructor(
    private readonly provider: AppProvider,
    private readonly options: CachingAppProviderOptions,
  ) {
    super();
    this.now = options.now ?? (() => performance.now());
    this.pause = new LogPause(this.now);
    provider.onChange((change) => {
      this.forget(change.appId);
      this.listener(change);
    });
  }

  findById(id: string): Promise<App | undefined> {
    return this.find(`id:${id}`, async () => checked(await this.provider.findById(id), 'id', id));
  }

  findByKey(key: string): Promise<App | undefined> {
    return this.find(`key:${key}`, async () => checked(await this.provider.findByKey(key), 'key', key));
  }

  override onChange(listener: (change: AppChange) => void): void {
    this.listener = listener;
  }

  private find(name: string, ask: () => Promise<App | undefined>): Promise<App | undefined> {
    const entry = this.entries.get(name);
    if (entry !== undefined && entry.expiresAt > this.now()) return Promise.resolve(entry.app);
    return this.lookUps.get(name) ?? this.startLookUp(name, ask);
  }

  private startLookUp(name: string, ask: () => Promise<App | undefined>): Promise<App | undefined> {
    if (this.lookUps.size >= MAX_LOOK_UPS) return this.fallBack(name, new Error('too many look-ups at once'));
    const lookUp: Promise<App | undefined> = within(ask(), this.options.timeoutMs).then(
      (app) => {
        // What was on its way when the app changed may be of before the change.
        if (this.end(name, lookUp)) this.learn(name, app);
        return app;
      },
      (error: unknown) => {
        this.end(name, lookUp);
        return this.fallBack(name, error);
      },
    );
    this.lookUps.set(name, lookUp);
    return lookUp;
  }

  /** @returns whether nobody has told of a change meanwhile. */
  private end(name: string, lookUp: Promise<App | undefined>): boolean {
    return this.lookUps.get(name) === lookUp && this.lookUps.delete(name);
  }

  /** What was true a moment ago is better than nothing: a database that restarts must not cost a client. */
  private fallBack(name: string, error: unknown): Promise<App | undefined> {
    if (this.pause.isOver()) this.logger.error(`an app could not be looked up: ${messageOf(error)}`);
    const known = this.entries.get(name)?.app;
    if (known !== undefined) {
      // Who comes in the next second does not wait for another time-out.
      this.keep(name, known, Math.min(this.options.ttlMs, RETRY_PAUSE_MS));
      return Promise.resolve(known);
    }
    return Promise.reject(new UnavailableError(`the app could not be looked up: ${messageOf(error)}`, 'not_done'));
  }

  private learn(name: string, app: App | undefined): void {
    const before = this.entries.get(name)?.app;
    if (before !== undefined) this.drop(before.id);
    const names = app === undefined ? [name] : [`id:${app.id}`, `key:${app.key}`];
    for (const each of names) this.keep(each, app);
    if (before === undefined) return;
    if (app === undefined) this.listener({ appId: before.id, change: 'removed' });
    else if (before.enabled && !app.enabled) this.listener({ appId: app.id, change: 'disabled' });
    else if (!isSame(before, app)) this.listener({ appId: app.id, change: 'updated' });
  }

  private keep(name: string, app: App | undefined, ttlMs = this.options.ttlMs): void {
    this.entries.delete(name);
    this.entries.set(name, { app, expiresAt: this.now() + ttlMs });
    if (this.entries.size > MAX_ENTRIES) this.entries.delete(this.entries.keys().next().value as string);
  }

  private forget(appId: string): void {
    this.drop(appId);
    // A miss may be the app that was added.
    for (const [name, { app }] of this.entries) if (app === undefined) this.entries.delete(name);
    this.lookUps.clear();
  }

  private drop(appId: string): void {
    for (const [name, { app }] of this.entries) if (app?.id === appId) this.entries.delete(name);
  }
}

/** Types end where a provider is somebody else's. @throws Error for what is no app, or another one than was asked for. */
function checked(answer: App | null | undefined, field: 'id' | 'key', value: string): App | undefined {
  if (answer === undefined || answer === null) return undefined;
  const { id, key, secret } = answer;
  if (![id, key, secret].every((text) => typeof text === 'string') || answer[field] !== value) {
    throw new Error(`the provider answered something that is not the app with the ${field} ${JSON.stringify(value)}`);
  }
  const app = completeApp(answer);
  if (typeof app.allowedOrigins.allows !== 'function') throw new Error(`the allowedOrigins of app ${id} are none`);
  return app;
}

/** Of what open connections use: origins are for those that come. */
function isSame(one: App, other: App): boolean {
  return isDeepStrictEqual({ ...one, allowedOrigins: undefined }, { ...other, allowedOrigins: undefined });
}

function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
