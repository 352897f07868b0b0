import type { Sweeper } from './sweeper.js';

/** `hub_unhealthy`: requests are answered, but nothing happens any more that time brings. */
export type HubHealth = 'ok' | 'hub_not_initialized' | 'hub_unhealthy' | 'shutting_down';

/** Its longest pause is a hundred ms, unless the machine stands still. */
const SILENT_TOO_LONG_MS = 30_000;

/** The health of a hub that does not shut down. */
export function healthOf({ silentMs }: Pick<Sweeper, 'silentMs'>): HubHealth {
  if (silentMs === undefined) return 'hub_not_initialized';
  return silentMs > SILENT_TOO_LONG_MS ? 'hub_unhealthy' : 'ok';
}
