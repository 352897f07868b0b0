import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from '../unavailable-error.js';

/** Numbers in [0, 1) that a seed repeats (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface ChaosOptions {
  readonly seed: number;
  /** Share of calls that fail, half of them before they took effect and half after. */
  readonly failureRate?: number;
}

/**
 * What a network does to calls: they take a while, arrive in another order than they were made, fail before they took
 * effect, or succeed without the caller hearing of it.
 */
export class Chaos {
  /** While true every call fails without effect: the store is away. */
  isDown = false;
  private readonly random: () => number;
  private readonly failureRate: number;

  constructor({ seed, failureRate = 0.2 }: ChaosOptions) {
    this.random = seededRandom(seed);
    this.failureRate = failureRate;
  }

  /** @throws UnavailableError */
  async disturb<T>(call: () => Promise<T>): Promise<T> {
    await this.delay();
    if (this.isDown || this.happens(this.failureRate / 2)) throw new UnavailableError('chaos: not done', 'not_done');
    const answer = await call();
    await this.delay();
    if (this.happens(this.failureRate / 2)) throw new UnavailableError('chaos: answer lost', 'maybe_done');
    return answer;
  }

  /** Nothing, a turn of the event loop, or up to three milliseconds. */
  async delay(): Promise<void> {
    const choice = this.random();
    if (choice < 0.4) return;
    if (choice < 0.8) await turn();
    else await sleep(this.random() * 3);
  }

  private happens(probability: number): boolean {
    return this.random() < probability;
  }
}
