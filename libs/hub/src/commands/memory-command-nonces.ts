import { UnavailableError } from '../unavailable-error.js';
import { CommandNonces } from './command-nonces.js';

/** About 80 MB when all are taken; 5,000 commands a second for as long as they are kept. */
const MAX_NONCES = 1_000_000;

interface Generation {
  readonly nonces: Set<string>;
  /** When the last of them may be forgotten. */
  expiresAt: number;
}

/**
 * Nonces of one process, forgotten a generation at a time: without a timer, and without looking at each. When it is
 * full it refuses, because forgetting one early would let its command in again.
 */
export class MemoryCommandNonces extends CommandNonces {
  private previous = emptyGeneration();
  private current = emptyGeneration();

  /** @param now monotonic ms. */
  constructor(
    private readonly now: () => number = () => performance.now(),
    private readonly maxNonces = MAX_NONCES,
  ) {
    super();
  }

  claim(nonce: string, ttlMs: number): Promise<boolean> {
    const now = this.now();
    this.forgetUntil(now);
    const { previous, current } = this;
    if (previous.nonces.has(nonce) || current.nonces.has(nonce)) return Promise.resolve(false);
    if (previous.nonces.size + current.nonces.size >= this.maxNonces)
      return Promise.reject(new UnavailableError('too many commands in too short a time', 'not_done'));
    current.nonces.add(nonce);
    current.expiresAt = Math.max(current.expiresAt, now + ttlMs);
    return Promise.resolve(true);
  }

  private forgetUntil(now: number): void {
    if (this.previous.expiresAt > now) return;
    this.previous = this.current.expiresAt > now ? this.current : emptyGeneration();
    this.current = emptyGeneration();
  }
}

function emptyGeneration(): Generation {
  return { nonces: new Set(), expiresAt: -Infinity };
}
