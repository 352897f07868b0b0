import type { Rate } from '../app/app.js';
import type { RateLimitAnswer } from './rate-limit-store.js';
import { TokenBucket } from './token-bucket.js';

const MAX_BUCKETS = 4_096;

/** Token buckets by name. At most 4,096; the least recently used one goes first, and would start full. */
export class BucketTable {
  private readonly buckets = new Map<string, TokenBucket>();

  /** @param now monotonic ms. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  take(name: string, rate: Rate): RateLimitAnswer {
    const now = this.now();
    const tokens = this.buckets.get(name) ?? new TokenBucket(rate, now);
    // Deleting and setting again moves the name to the end: a Map iterates in order of insertion.
    this.buckets.delete(name);
    this.buckets.set(name, tokens);
    if (this.buckets.size > MAX_BUCKETS) this.buckets.delete(this.buckets.keys().next().value as string);
    const allowed = tokens.take(rate, now);
    return {
      allowed,
      remaining: tokens.remaining(rate, now),
      retryAfterMs: allowed ? 0 : tokens.waitMs(rate, now),
    };
  }
}
