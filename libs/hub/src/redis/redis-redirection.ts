/** What a node of a Redis Cluster says instead of an answer: the slot is elsewhere, or on its way. */
export interface Redirection {
  /** `host:port` that the slot belongs to; undefined while it is moving. */
  readonly owner: string | undefined;
}

const REDIRECTION = /^(?:MOVED|ASK|TRYAGAIN)\b/;
const MOVED = /^MOVED \d+ (\S+)$/;

/** Nothing was done. */
export function isRedirection(message: string): boolean {
  return REDIRECTION.test(message);
}

/**
 * Undefined: it is another error. ASK is not followed: of a slot that is moving, some keys are here and some are there,
 * and a script needs all. It is over soon.
 */
export function redirectionIn(error: unknown): Redirection | undefined {
  const { message } = error as Error;
  return isRedirection(message) ? { owner: MOVED.exec(message)?.[1] } : undefined;
}
