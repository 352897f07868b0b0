import type { Rate } from '../app/app.js';

/** A token bucket by arithmetic alone: no timer, two numbers. Starts full. */
export class TokenBucket {
  private tokens: number;
  private updatedAt: number;

  constructor(rate: Rate, now: number) {
    this.tokens = rate.burst;
    this.updatedAt = now;
  }

  /** Takes one token at `now` (ms, monotonic) and returns true, or returns false and takes nothing. */
  take(rate: Rate, now: number): boolean {
    this.refill(rate, now);
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }

  /** Whole tokens left at `now`. */
  remaining(rate: Rate, now: number): number {
    this.refill(rate, now);
    return Math.floor(this.tokens);
  }

  /** Milliseconds until a token is there; 0 when one is. */
  waitMs(rate: Rate, now: number): number {
    this.refill(rate, now);
    return this.tokens >= 1 ? 0 : Math.ceil(((1 - this.tokens) / rate.perSecond) * 1000);
  }

  private refill(rate: Rate, now: number): void {
    const elapsed = now - this.updatedAt;
    if (elapsed <= 0) return;
    this.tokens = Math.min(rate.burst, this.tokens + (elapsed / 1000) * rate.perSecond);
    this.updatedAt = now;
  }
}
