import { isDeepStrictEqual } from 'node:util';
import { Logger } from '@nestjs/common';
import { errorText } from '../error-text.js';
import { LogPause } from '../log-pause.js';
import { UnavailableError } from '../unavailable-error.js';
import { completeApp, type App } from './app.js';
import { AppProvider, type AppChange } from './app-provider.js';

/** Apps that are kept, and as many names that nobody has: who makes up keys must not fill the memory. */
const MAX_ENTRIES = 4_096;
/** A longer name that nobody has is not kept. */
const LONGEST_MISS = 256;
/** Look-ups at once; more are refused. */
const MAX_LOOK_UPS = 256;
const RETRY_PAUSE_MS = 1_000;

export interface CachingAppProviderOptions {
  /** How long an answer is used again; 0 = never, unless the provider fails. */
  readonly ttlMs: number;
  /** How long a look-up may take. */
  readonly timeoutMs: number;
  /** Monotonic ms; replaced in tests. */
  readonly now?: () => number;
}

type Field = 'id' | 'key';

interface Entry {
  readonly app: App;
  expiresAt: number;
  /** The provider has told of a change, and so has this. */
  isTold?: boolean;
}

/**
 * Stands between the server and an {@link AppProvider} over I/O: keeps its answers, asks once however many want to know,
 * and goes on with what it knew while the provider fails. Notices by itself when a fresh answer differs from the last.
 */
export class CachingAppProvider extends AppProvider {
  override readonly cacheTtlMs = 0;
  private readonly logger = new Logger(AppProvider.name);
  /** By id, the least recently learnt first. */
  private readonly known = new Map<string, Entry>();
  private readonly idByKey = new Map<string, string>();
  /** Names (`id:…`, `key:…`) that nobody has, and until when that counts; the oldest first. */
  private readonly misses = new Map<string, number>();
  /** By name, those that nobody has told of a change since. */
  private readonly lookUps = new Map<string, Promise<App | undefined>>();
  private lookUpCount = 0;
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
      this.forget(change);
      this.listener(change);
    });
  }

  /** @throws UnavailableError when the provider fails and the app was not known before. */
  findById(id: string): Promise<App | undefined> {
    return this.find('id', id);
  }

  /** @throws UnavailableError as {@link findById}. */
  findByKey(key: string): Promise<App | undefined> {
    return this.find('key', key);
  }

  override onChange(listener: (change: AppChange) => void): void {
    this.listener = listener;
  }

  private find(field: Field, value: string, isLastTry = false): Promise<App | undefined> {
    const now = this.now();
    const entry = this.entryOf(field, value);
    if (entry !== undefined && entry.expiresAt > now) return Promise.resolve(entry.app);
    const name = `${field}:${value}`;
    if ((this.misses.get(name) ?? -Infinity) > now) return Promise.resolve(undefined);
    return this.lookUps.get(name) ?? this.startLookUp(field, value, isLastTry);
  }

  private startLookUp(field: Field, value: string, isLastTry: boolean): Promise<App | undefined> {
    const name = `${field}:${value}`;
    if (this.lookUpCount >= MAX_LOOK_UPS) return this.fallBack(field, value, new Error('too many look-ups at once'));
    this.lookUpCount++;
    const lookUp: Promise<App | undefined> = within(this.ask(field, value), this.options.timeoutMs)
      .finally(() => this.lookUpCount--)
      .then(
        (app) => {
          if (this.end(name, lookUp)) this.learn(field, value, app);
          // The answer may be of before the change. A provider that tells of one at every look-up is asked twice.
          else if (!isLastTry) return this.find(field, value, true);
          return app;
        },
        (error: unknown) => {
          this.end(name, lookUp);
          return this.fallBack(field, value, error);
        },
      );
    this.lookUps.set(name, lookUp);
    return lookUp;
  }

  private async ask(field: Field, value: string): Promise<App | undefined> {
    const { provider } = this;
    return checked(await (field === 'id' ? provider.findById(value) : provider.findByKey(value)), field, value);
  }

  /** @returns whether nobody has told of a change meanwhile. */
  private end(name: string, lookUp: Promise<App | undefined>): boolean {
    return this.lookUps.get(name) === lookUp && this.lookUps.delete(name);
  }

  /** What was true a moment ago is better than nothing: a database that restarts must not cost a client. */
  private fallBack(field: Field, value: string, error: unknown): Promise<App | undefined> {
    if (this.pause.isOver()) this.logger.error(`an app could not be looked up: ${messageOf(error)}`);
    const entry = this.entryOf(field, value);
    if (entry === undefined) {
      return Promise.reject(new UnavailableError(`the app could not be looked up: ${messageOf(error)}`, 'not_done'));
    }
    // Who comes in the next second does not wait for another time-out.
    entry.expiresAt = this.now() + Math.min(this.options.ttlMs, RETRY_PAUSE_MS);
    // Whoever was told of a change has not seen it.
    entry.isTold = false;
    return Promise.resolve(entry.app);
  }

  private learn(field: Field, value: string, app: App | undefined): void {
    const holder = this.entryOf(field, value)?.app;
    if (app === undefined) this.keepMiss(`${field}:${value}`);
    else this.replace(this.known.get(app.id), app);
    if (holder === undefined || holder.id === app?.id) return;
    // A key that leads elsewhere now says nothing about the app that had it: it may have got another one.
    if (field === 'key') this.lookAgain(holder);
    else {
      this.drop(holder);
      this.listener({ appId: holder.id, change: 'removed' });
    }
  }

  private replace(entry: Entry | undefined, app: App): void {
    const before = entry?.app;
    if (before !== undefined) this.drop(before);
    this.keep(app);
    if (before === undefined || entry?.isTold || isSame(before, app)) return;
    this.listener({ appId: app.id, change: before.enabled && !app.enabled ? 'disabled' : 'updated' });
  }

  private lookAgain(app: App): void {
    if (this.idByKey.get(app.key) === app.id) this.idByKey.delete(app.key);
    // What fails has been logged, and is made up for by whoever looks next.
    this.findById(app.id).catch(() => undefined);
  }

  private keep(app: App): void {
    this.known.set(app.id, { app, expiresAt: this.now() + this.options.ttlMs });
    this.idByKey.set(app.key, app.id);
    const [oldest] = this.known.size > MAX_ENTRIES ? this.known.values() : [];
    if (oldest !== undefined) this.drop(oldest.app);
  }

  private keepMiss(name: string): void {
    if (name.length > LONGEST_MISS) return;
    this.misses.delete(name);
    this.misses.set(name, this.now() + this.options.ttlMs);
    if (this.misses.size > MAX_ENTRIES) this.misses.delete(this.misses.keys().next().value as string);
  }

  private forget({ appId, change }: AppChange): void {
    const entry = this.known.get(appId);
    // Kept to be compared with: when the next look-up fails, the one after that finds what has changed.
    if (entry !== undefined && change === 'updated') {
      entry.expiresAt = -Infinity;
      entry.isTold = true;
    } else if (entry !== undefined) {
      this.drop(entry.app);
    }
    // Any of them may be the app that was added.
    this.misses.clear();
    this.lookUps.clear();
  }

  private drop({ id, key }: App): void {
    this.known.delete(id);
    if (this.idByKey.get(key) === id) this.idByKey.delete(key);
  }

  private entryOf(field: Field, value: string): Entry | undefined {
    const id = field === 'id' ? value : this.idByKey.get(value);
    return id === undefined ? undefined : this.known.get(id);
  }
}

/** Types end where a provider is somebody else's. @throws Error for what is no app, or another one than was asked for. */
function checked(answer: App | null | undefined, field: Field, value: string): App | undefined {
  if (answer === undefined || answer === null) return undefined;
  const app = completeApp(answer);
  if (app[field] !== value) throw new Error(`the provider answered another app than that with the ${field} asked for`);
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
  return error instanceof Error ? error.message : errorText(error);
}
