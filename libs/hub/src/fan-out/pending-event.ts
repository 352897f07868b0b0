import type { Connection } from '../connection.js';

/** An event that has arrived for a channel's local subscribers and is not written yet. */
export interface PendingEvent {
  /** UTF-8 text of one WebSocket message. */
  readonly payload: Uint8Array;
  /** The channel's serial of a transition or cached event; undefined for plain events, which are always news. */
  readonly serial?: number | undefined;
  /** The connection that does not get it. */
  readonly except?: Connection | undefined;
  /** When it arrived (`performance.now()`); stamped only when somebody measures. */
  readonly arrivedAt?: number | undefined;
}
