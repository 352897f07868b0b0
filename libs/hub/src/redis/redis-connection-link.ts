import { Logger } from '@nestjs/common';
import { Command, type Redis } from 'ioredis';
import { pauseBeforeAskingAgain } from '../ask-again.js';
import { UnavailableError } from '../unavailable-error.js';
import { RedisLink, type RedisArgument } from './redis-link.js';
import { isRedirection } from './redis-redirection.js';
import type { RedisScript } from './redis-script.js';

const LOG_PAUSE_MS = 10_000;
const OF_CLUSTER = 'this server belongs to a Redis Cluster, which redis_cluster_nodes is for';

interface Request {
  readonly command: string;
  readonly args: readonly RedisArgument[];
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface RedisConnectionLinkSettings {
  readonly scripts: readonly RedisScript[];
  /** How long a request waits for a connection that has just been lost; after that it fails at once. */
  readonly waitMs: number;
  /** Somebody knows what to do when the server says that a slot is elsewhere. */
  readonly isOfCluster?: boolean;
  /** Looks at each server that it finds. What fails is not waited for. */
  readonly inspect?: (redis: Redis) => Promise<void>;
}

/**
 * One connection on which commands leave together: all of a turn of the event loop in one write, in the order in which
 * they were asked for. A command whose outcome is unknown is never sent again from here.
 */
export class RedisConnectionLink extends RedisLink {
  private readonly logger = new Logger(RedisLink.name);
  private queue: Request[] = [];
  private isScheduled = false;
  private open = false;
  private isClosed = false;
  private waiting: NodeJS.Timeout | undefined;
  /** No connection for longer than `waitMs`: who asks is told at once. */
  private isKnownToBeDown = true;
  private loggedAt = -Infinity;
  private failures = 0;

  constructor(
    private readonly redis: Redis,
    private readonly settings: RedisConnectionLinkSettings,
  ) {
    super();
    redis.on('error', (error: Error) => this.logOnce(error));
    redis.on('ready', () => void this.prepare());
    redis.on('close', () => this.lost());
  }

  get isOpen(): boolean {
    return this.open;
  }

  get servers(): readonly RedisLink[] {
    return [this];
  }

  connect(): void {
    this.redis.connect().catch(() => undefined);
  }

  reset(): void {
    this.redis.disconnect(true);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    if (this.open) await this.redis.quit().catch(() => undefined);
    this.redis.disconnect();
    this.failWaiting();
  }

  run(command: string, args: readonly RedisArgument[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!this.open && (this.isKnownToBeDown || this.isClosed)) {
        reject(new UnavailableError('Redis is not connected', 'not_done'));
        return;
      }
      this.queue.push({ command, args, resolve, reject });
      if (!this.isScheduled && this.open) this.schedule();
    });
  }

  runScript(script: RedisScript, key: string, args: readonly RedisArgument[]): Promise<unknown> {
    return this.run('evalsha', [script.digest, 1, key, ...args]);
  }

  private schedule(): void {
    this.isScheduled = true;
    // After everything that this turn has read, so that requests of many clients leave in one write.
    setImmediate(() => this.flush());
  }

  private flush(): void {
    this.isScheduled = false;
    const { stream } = this.redis;
    // One that is about to report its end: what has not been written can still wait for the next.
    if (!this.open || this.queue.length === 0 || !stream.writable) return;
    const requests = this.queue;
    this.queue = [];
    stream.cork();
    for (const { command, args, resolve, reject } of requests) {
      const sent = new Command(command, [...args], { replyEncoding: null });
      const reply = this.redis.sendCommand(sent) as Promise<unknown>;
      reply.then(resolve, (error: unknown) => reject(this.judge(error as Error)));
    }
    stream.uncork();
  }

  /** What an error says about whether the command took effect. */
  private judge(error: Error): Error {
    if (error.name !== 'ReplyError') return new UnavailableError(error.message, 'maybe_done', { cause: error });
    // Redis refused it: loading, read-only, out of memory, script unknown after a restart.
    if (!isRedirection(error.message)) this.logOnce(error);
    else if (this.settings.isOfCluster !== true) this.logOnce(new Error(`${error.message}: ${OF_CLUSTER}`));
    // Restarted, or, behind Sentinels, no primary any more: either is found out by beginning anew.
    if (/^(NOSCRIPT|READONLY)/.test(error.message)) this.reset();
    return new UnavailableError(error.message, 'not_done', { cause: error });
  }

  private async prepare(): Promise<void> {
    try {
      // ioredis goes on with database 0 when there is no such one.
      await this.redis.select(this.redis.options.db ?? 0);
      await Promise.all(this.settings.scripts.map(({ source }) => this.redis.script('LOAD', source)));
    } catch (error) {
      this.logOnce(error as Error);
      await pauseBeforeAskingAgain(this.failures++);
      if (!this.isClosed) this.reset();
      return;
    }
    if (this.redis.status !== 'ready') return;
    this.open = true;
    this.failures = 0;
    this.isKnownToBeDown = false;
    clearTimeout(this.waiting);
    this.waiting = undefined;
    this.settings.inspect?.(this.redis).catch(() => undefined);
    this.onOpen();
    this.flush();
  }

  private lost(): void {
    const wasOpen = this.open;
    this.open = false;
    if (!wasOpen || this.isClosed) return;
    this.waiting = setTimeout(() => this.failWaiting(), this.settings.waitMs);
    if (this.settings.waitMs === 0) this.failWaiting();
    this.onLost();
  }

  private failWaiting(): void {
    clearTimeout(this.waiting);
    this.waiting = undefined;
    this.isKnownToBeDown = true;
    const requests = this.queue;
    this.queue = [];
    for (const { reject } of requests) reject(new UnavailableError('Redis is not connected', 'not_done'));
  }

  /** Not all of them: an outage has one cause. Redis's errors name no secrets. */
  private logOnce(error: Error): void {
    const now = performance.now();
    if (this.isClosed || now - this.loggedAt < LOG_PAUSE_MS) return;
    this.loggedAt = now;
    this.logger.warn(`Redis: ${error.message}`);
  }
}
