/** Events of so long are told together. */
export const GATHER_MS = 50;
export const EVENTS_PER_REQUEST = 100;
/** How long an endpoint may fail before what waits for it is given up. */
export const PATIENCE_MS = 5 * 60_000;

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/**
 * How long to wait after so many failures: doubles up to half a minute; half of it is chance, so that those who failed
 * together do not come back together.
 */
export function pauseAfter(failures: number): number {
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 16));
  return Math.round(pause * (0.5 + Math.random() / 2));
}
