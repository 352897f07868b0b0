import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { pauseBeforeAskingAgain } from '../ask-again.js';

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

/**
 * What this node wants to hear, and hears again after every reconnect: ioredis would subscribe again by itself, but
 * tells nobody when, or that it failed. Commands of one turn leave as one.
 */
export class RedisSubscriber {
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
  onInterrupted: () => void = () => undefined;
  onResumed: () => void = () => undefined;

  constructor(private readonly redis: Redis) {
    redis.on('ready', () => void this.resume());
    redis.on('close', () => this.interrupt());
  }

  /** Resolves when the subscription is in force, however long that takes. */
  subscribe(name: string): Promise<void> {
    const subscription = this.subscriptions.get(name);
    if (subscription === undefined) return this.change(name, { state: 'wanted', done: undefined, settle: undefined });
    if (subscription.state === 'active') return Promise.resolve();
    if (subscription.state === 'wanted') return subscription.done ?? Promise.resolve();
    subscription.settle?.();
    return this.change(name, { state: 'wanted', done: undefined, settle: undefined });
  }

  /** Resolves when nothing more will be heard of it. */
  unsubscribe(name: string): Promise<void> {
    const subscription = this.subscriptions.get(name);
    if (subscription === undefined) return Promise.resolve();
    subscription.settle?.();
    if (this.isConnected) return this.change(name, { state: 'unwanted', done: undefined, settle: undefined });
    this.subscriptions.delete(name);
    this.changed.delete(name);
    return Promise.resolve();
  }

  /** Whether a message with that name is for somebody here. */
  has(name: string): boolean {
    const state = this.subscriptions.get(name)?.state;
    return state === 'active' || state === 'wanted';
  }

  close(): void {
    this.isClosed = true;
    clearInterval(this.pingTimer);
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
      ...inParts(wanted).map(async (part) => {
        await this.redis.subscribe(...part.map(([name]) => name));
        for (const [name, subscription] of part) this.settle(name, subscription, 'active');
      }),
      ...inParts(unwanted).map(async (part) => {
        await this.redis.unsubscribe(...part.map(([name]) => name));
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
    if (!this.isConnected) return;
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
}

function inParts<T>(items: readonly T[]): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < items.length; at += NAMES_PER_COMMAND) parts.push(items.slice(at, at + NAMES_PER_COMMAND));
  return parts;
}
