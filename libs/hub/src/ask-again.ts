import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from './unavailable-error.js';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Asks a port until it answers: its operations are idempotent, so an answer that was lost is asked for again.
 * @param shouldStop checked after each failure; when true the last {@link UnavailableError} is thrown.
 * @throws every other error at once.
 */
export async function askAgain<T>(ask: () => Promise<T>, shouldStop: () => boolean): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof UnavailableError) || shouldStop()) throw error;
    }
    await pauseBeforeAskingAgain(failures);
  }
}

/** Waits 50 ms after the first failure, doubling up to a second. Does not keep the process alive. */
export function pauseBeforeAskingAgain(failures: number): Promise<void> {
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 10), LONGEST_PAUSE_MS);
  return sleep(pause, undefined, { ref: false });
}
