import type { Rate } from '../app/app.js';
import { RateLimitStore, type RateLimitAnswer } from './rate-limit-store.js';
import { TokenBucket } from './token-bucket.js';

const MAX_BUCKETS = 4_096;

/** Buckets of one process. At most {@link MAX_BUCKETS}; the least recently used one goes first and would start full. */
export class MemoryRateLimitStore extends RateLimitStore {
  private readonly buckets = new Map<string, TokenBucket>();

  constructor(private readonly now: () => number = () => performance.now()) {
    super();
  }

  take(bucket: string, rate: Rate): Promise<RateLimitAnswer> {
    const now = this.now();
    const tokens = this.buckets.get(bucket) ?? new TokenBucket(rate, now);
    // Deleting and setting again moves the key to the end: a Map iterates in order of insertion.
    this.buckets.delete(bucket);
    this.buckets.set(bucket, tokens);
    if (this.buckets.size > MAX_BUCKETS) this.buckets.delete(this.buckets.keys().next().value as string);
    const allowed = tokens.take(rate, now);
    return Promise.resolve({
      allowed,
      remaining: tokens.remaining(rate, now),
      retryAfterMs: allowed ? 0 : tokens.waitMs(rate, now),
    });
  }
}
