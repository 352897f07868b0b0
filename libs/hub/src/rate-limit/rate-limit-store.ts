import type { Rate } from '../app/app.js';

export interface RateLimitAnswer {
  readonly allowed: boolean;
  /** Whole tokens left. */
  readonly remaining: number;
  /** Until the next token when refused, else 0. */
  readonly retryAfterMs: number;
}

/**
 * Token buckets by name, shared by the nodes that share the store. One question: take a token if there is one.
 * Contract suite: `rateLimitStoreContract`.
 */
export abstract class RateLimitStore {
  /** @throws UnavailableError when the store cannot be reached; the caller decides whether to let the request pass. */
  abstract take(bucket: string, rate: Rate): Promise<RateLimitAnswer>;
}
