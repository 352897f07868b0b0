import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { pauseBeforeAskingAgain } from '../ask-again.js';
import { RedisSubscriptions } from './redis-subscriptions.js';

const NAMES_PER_COMMAND = 500;
/** Nothing says that a connection without traffic is dead: so it is asked. */
const PING_MS = 2_000;

type State = 'wanted' | 'active' | 'unwanted';

interface Subscription {
  state: State;
  /** Resolves when Redis has confirmed what is wanted last. */
  done: Promise<void> | undefined;
  settle: (() => void) | undefined;
}

/** How names are subscribed to. */
export interface RedisSubscriberSettings {
  /** Names that one command may have together. */
  readonly groupOf: (name: string) => unknown;
  readonly subscribe: (names: readonly string[]) => Promise<unknown>;
  readonly unsubscribe: (names: readonly string[]) => Promise<unknown>;
}

/**
 * Subscriptions on one connection. ioredis would subscribe again by itself after a reconnect, but tells nobody when, or
 * that it failed. Commands of one turn leave as one.
 */
export class RedisSubscriber extends RedisSubscriptions {
  private readonly logger = new Logger(RedisSubscriber.name);
  private readonly subscriptions = new Map<string, Subscription>();
  private readonly changed = new Set<string>();
  private isScheduled = false;
  private isClosed = false;
  private failures = 0;
  private pingTimer: NodeJS.Timeout | undefined;
  /** Commands can be sent. */
  private isConnected = false;
  /** What was wanted when the connection came is in force. */
  isInForce = false;

  override get client(): Redis {
    return this.redis;
  }

  constructor(
    private readonly redis: Redis,
    private readonly settings: RedisSubscriberSettings,
  ) {
    super();
    redis.on('ready', () => void this.resume());
    redis.on('close', () => this.interrupt());
  }

  subscribe(name: string): Promise<void> {
    const subscription = this.subscriptions.get(name);
    if (subscription === undefined) return this.change(name, { state: 'wanted', done: undefined, settle: undefined });
    if (subscription.state === 'active') return Promise.resolve();
    if (subscription.state === 'wanted') return subscription.done ?? Promise.resolve();
    subscription.settle?.();
    return this.change(name, { state: 'wanted', done: undefined, settle: undefined });
  }

  unsubscribe(name: string): Promise<void> {
    const subscription = this.subscriptions.get(name);
    if (subscription === undefined) return Promise.resolve();
    subscription.settle?.();
    if (this.isConnected) return this.change(name, { state: 'unwanted', done: undefined, settle: undefined });
    this.subscriptions.delete(name);
    this.changed.delete(name);
    return Promise.resolve();
  }

  has(name: string): boolean {
    const state = this.subscriptions.get(name)?.state;
    return state === 'active' || state === 'wanted';
  }

  connect(): void {
    if (this.redis.status === 'wait') this.redis.connect().catch(() => undefined);
  }

  /** A new connection, as if this one had been lost: Redis has dropped something by itself. */
  reset(): void {
    if (!this.isClosed) this.redis.disconnect(true);
  }

  close(): void {
    this.isClosed = true;
    clearInterval(this.pingTimer);
    this.redis.disconnect();
  }

  private change(name: string, subscription: Subscription): Promise<void> {
    this.subscriptions.set(name, subscription);
    this.changed.add(name);
    if (this.isConnected && !this.isScheduled) {
      this.isScheduled = true;
      setImmediate(() => void this.flush());
    }
    return (subscription.done = new Promise((resolve) => (subscription.settle = resolve)));
  }

  private async flush(): Promise<void> {
    this.isScheduled = false;
    if (!this.isConnected) return;
    try {
      await this.send();
    } catch (error) {
      void this.lose(error);
    }
  }

  /** Asks Redis for everything that has changed. Names leave in the order of their last change. */
  private async send(): Promise<void> {
    const { subscriptions } = this;
    const changes = [...this.changed].map((name) => [name, subscriptions.get(name)] as const);
    this.changed.clear();
    const wanted = changes.filter(([, subscription]) => subscription?.state === 'wanted');
    const unwanted = changes.filter(([, subscription]) => subscription?.state === 'unwanted');
    await Promise.all([
      ...this.inParts(wanted).map(async (part) => {
        await this.settings.subscribe(part.map(([name]) => name));
        for (const [name, subscription] of part) this.settle(name, subscription, 'active');
      }),
      ...this.inParts(unwanted).map(async (part) => {
        await this.settings.unsubscribe(part.map(([name]) => name));
        for (const [name, subscription] of part) this.settle(name, subscription, undefined);
      }),
    ]);
  }

  /** Redis has confirmed; unless somebody has changed their mind meanwhile. */
  private settle(name: string, subscription: Subscription | undefined, state: 'active' | undefined): void {
    if (subscription === undefined || this.subscriptions.get(name) !== subscription) return;
    if (state === undefined) this.subscriptions.delete(name);
    else subscription.state = state;
    subscription.settle?.();
    subscription.settle = undefined;
    subscription.done = undefined;
  }

  private async resume(): Promise<void> {
    for (const [name, subscription] of this.subscriptions) {
      if (subscription.state === 'unwanted') {
        subscription.settle?.();
        this.subscriptions.delete(name);
        continue;
      }
      subscription.state = 'wanted';
      this.changed.add(name);
    }
    this.isConnected = true;
    try {
      await this.send();
    } catch (error) {
      void this.lose(error);
      return;
    }
    if (!this.isConnected) return;
    this.isInForce = true;
    this.failures = 0;
    clearInterval(this.pingTimer);
    if (!this.isClosed) this.pingTimer = setInterval(() => void this.redis.ping().catch(() => undefined), PING_MS);
    this.onResumed();
  }

  /** Redis refuses, or has gone: everything is asked for again, on a new connection and not all the time. */
  private async lose(error: unknown): Promise<void> {
    if (!this.isConnected || this.isClosed) return;
    if (this.failures === 0) this.logger.warn(`Redis: ${(error as Error).message}`);
    await pauseBeforeAskingAgain(this.failures++);
    if (this.isConnected) this.redis.disconnect(true);
  }

  private interrupt(): void {
    clearInterval(this.pingTimer);
    if (!this.isConnected) return;
    this.isConnected = false;
    if (!this.isInForce) return;
    this.isInForce = false;
    this.onInterrupted();
  }

  private inParts<T>(changes: readonly (readonly [string, T])[]): (readonly [string, T])[][] {
    const groups = new Map<unknown, (readonly [string, T])[]>();
    for (const change of changes) {
      const group = this.settings.groupOf(change[0]);
      const others = groups.get(group);
      if (others === undefined) groups.set(group, [change]);
      else others.push(change);
    }
    const parts: (readonly [string, T])[][] = [];
    for (const group of groups.values()) {
      for (let at = 0; at < group.length; at += NAMES_PER_COMMAND) parts.push(group.slice(at, at + NAMES_PER_COMMAND));
    }
    return parts;
  }
}

/** Every server hears it. */
export function plainly(redis: Redis): RedisSubscriberSettings {
  return {
    groupOf: () => undefined,
    subscribe: (names) => redis.subscribe(...names),
    unsubscribe: (names) => redis.unsubscribe(...names),
  };
}
