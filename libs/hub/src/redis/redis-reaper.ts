import { Logger } from '@nestjs/common';
import { UnavailableError } from '../unavailable-error.js';
import type { RedisBuckets } from './redis-buckets.js';
import type { RedisLeases } from './redis-leases.js';

/** Cleans up after those that are gone: nodes that died, and former lives of this process. */
export class RedisReaper {
  private readonly logger = new Logger(RedisReaper.name);
  /** Incarnations of this process that may still have something in Redis. */
  private readonly own = new Set<RedisBuckets>();
  private timer: NodeJS.Timeout | undefined;
  private isReaping = false;

  constructor(
    private readonly leases: RedisLeases,
    private readonly isReady: () => boolean,
  ) {}

  /** Former lives of this process, the latest last. */
  get formers(): readonly string[] {
    return Array.from(this.own, ({ incarnation }) => incarnation);
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

  close(): void {
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
