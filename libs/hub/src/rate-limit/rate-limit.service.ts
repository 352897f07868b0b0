import { Injectable, Logger } from '@nestjs/common';
import type { App } from '../app/app.js';
import { UnavailableError } from '../unavailable-error.js';
import { RateLimitStore, type RateLimitAnswer } from './rate-limit-store.js';

const WARN_PAUSE_MS = 10_000;

export interface HttpRateLimitAnswer extends RateLimitAnswer {
  /** Requests per second the app may make. */
  readonly limit: number;
}

/** Which limits exist and what happens when their store is away. */
@Injectable()
export class RateLimitService {
  private readonly logger = new Logger(RateLimitService.name);
  private warnedAt = -Infinity;

  constructor(private readonly store: RateLimitStore) {}

  /** Counts one signed HTTP request of `app`; undefined when the app has no limit. */
  async takeHttpRequest(app: App): Promise<HttpRateLimitAnswer | undefined> {
    const limit = app.httpRateLimit;
    if (limit === undefined) return undefined;
    try {
      const answer = await this.store.take(`http/${app.id}`, { perSecond: limit, burst: Math.max(1, limit) });
      return { ...answer, limit };
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      // The limit protects the server from a signed, known publisher; refusing every publish would hurt more.
      this.warn(`rate limit store unavailable, requests are let through: ${error.message}`);
      return undefined;
    }
  }

  /** Not for every request of an outage. */
  private warn(text: string): void {
    const now = performance.now();
    if (now - this.warnedAt < WARN_PAUSE_MS) return;
    this.warnedAt = now;
    this.logger.warn(text);
  }
}
