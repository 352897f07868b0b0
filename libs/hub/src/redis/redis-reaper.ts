import { Logger } from '@nestjs/common';
import { UnavailableError } from '../unavailable-error.js';
import type { RedisBuckets } from './redis-buckets.js';
import { RedisCensus } from './redis-census.js';
import type { RedisLeases } from './redis-leases.js';

/** Cleans up after those that are gone: nodes that died, and former lives of this process. */
export class RedisReaper {
  private readonly logger = new Logger(RedisReaper.name);
  /** Incarnations of this process that may still have something in Redis. */
  private readonly own = new Set<RedisBuckets>();
  private readonly census: RedisCensus;
  private timer: NodeJS.Timeout | undefined;
  private isReaping = false;

  constructor(
    private readonly leases: RedisLeases,
    private readonly isReady: () => boolean,
  ) {
    this.census = new RedisCensus(leases, () => this.lookIn(0));
  }

  /** Former lives of this process, the latest last. */
  get formers(): readonly string[] {
    return Array.from(this.own, ({ incarnation }) => incarnation);
  }

  /** Whether something is lost that this process had written down. @throws UnavailableError */
  async haveFormersLost(): Promise<boolean> {
    // Where all data are in one place, the epoch is lost with the rest.
    if (!this.leases.keys.isSharded) return false;
    for (const former of this.own) if (await former.haveLost()) return true;
    return false;
  }

  /** What was lost so far is in the epoch. */
  lossIsKnown(): void {
    for (const former of this.own) former.unmark();
  }

  /** This process has given up an incarnation, if it is one. */
  add(former: RedisBuckets): void {
    if (former.incarnation !== '') this.own.add(former);
  }

  /** Removes what former lives of this process left behind, as far as Redis can be reached. */
  async retire(): Promise<void> {
    // Another one may be given up meanwhile, and must not be touched before its connections have moved.
    for (const former of [...this.own]) {
      try {
        await this.leases.reapOne(former);
        this.own.delete(former);
      } catch (error) {
        // Whoever looks next finds that its lease is over.
        if (!(error instanceof UnavailableError)) this.logger.error(error);
        return;
      }
    }
  }

  /** Looks for the dead in `ms`; instead of what was planned before. */
  lookIn(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), ms + 1);
  }

  /** There was an interruption, and it is over: those who live have come back by then. */
  lookForForgottenIn(ms: number): void {
    this.census.plan(ms);
  }

  close(): void {
    this.census.close();
    clearTimeout(this.timer);
  }

  private async look(): Promise<void> {
    if (this.isReaping) return;
    this.isReaping = true;
    try {
      while (this.isReady() && (await this.leases.reapOne())) this.logger.log('cleaned up after a node that is gone');
    } catch (error) {
      if (!(error instanceof UnavailableError)) this.logger.error(error);
    } finally {
      this.isReaping = false;
    }
  }
}
