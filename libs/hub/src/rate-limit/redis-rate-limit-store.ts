import type { Rate } from '../app/app.js';
import type { RedisKeys } from '../redis/redis-keys.js';
import type { RedisLink } from '../redis/redis-link.js';
import { TAKE_TOKEN } from '../redis/redis-node-scripts.js';
import { RedisScript } from '../redis/redis-script.js';
import { RateLimitStore, type RateLimitAnswer } from './rate-limit-store.js';

const take = new RedisScript(TAKE_TOKEN);

export const RATE_LIMIT_SCRIPTS = [take];

/** Buckets of a cluster, by Redis's clock. One that is full again is forgotten. */
export class RedisRateLimitStore extends RateLimitStore {
  constructor(
    private readonly link: RedisLink,
    private readonly keys: RedisKeys,
  ) {
    super();
  }

  async take(bucket: string, { perSecond, burst }: Rate): Promise<RateLimitAnswer> {
    const reply = await this.link.runScript(take, this.keys.tokens(bucket), [perSecond, burst]);
    const [, allowed, remaining, waitMs] = reply as [Buffer, number, number, number];
    return { allowed: allowed === 1, remaining, retryAfterMs: allowed === 1 ? 0 : waitMs };
  }
}
