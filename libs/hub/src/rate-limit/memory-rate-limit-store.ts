import type { Rate } from '../app/app.js';
import { BucketTable } from './bucket-table.js';
import { RateLimitStore, type RateLimitAnswer } from './rate-limit-store.js';

/** Buckets of one process, as bounded as the table. */
export class MemoryRateLimitStore extends RateLimitStore {
  private readonly buckets: BucketTable;

  constructor(now?: () => number) {
    super();
    this.buckets = new BucketTable(now);
  }

  take(bucket: string, rate: Rate): Promise<RateLimitAnswer> {
    return Promise.resolve(this.buckets.take(bucket, rate));
  }
}
