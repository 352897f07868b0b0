/**
 * Sizes that bound what one app may say. Lengths are bytes of UTF-8 unless the name says otherwise.
 * The defaults are Pusher's where Pusher documents one.
 */
export interface ProtocolLimits {
  /** Largest `data` of an event, from the HTTP API or from a client. */
  readonly maxEventBytes: number;
  readonly maxEventNameLength: number;
  readonly maxChannelNameLength: number;
  /** Members (distinct users) of one presence channel. */
  readonly presenceMaxMembers: number;
  /** JSON text of one member's `user_info`. */
  readonly presenceMaxUserInfoBytes: number;
  readonly presenceMaxUserIdLength: number;
}

export const DEFAULT_LIMITS: ProtocolLimits = Object.freeze({
  maxEventBytes: 262_144,
  maxEventNameLength: 200,
  maxChannelNameLength: 200,
  presenceMaxMembers: 100,
  presenceMaxUserInfoBytes: 2_048,
  presenceMaxUserIdLength: 128,
});

/** A signed-in user's id is bounded by the protocol itself, not by an app. */
export const MAX_SIGNED_IN_USER_ID_BYTES = 128;

/** Users whose comings and goings one connection can follow. */
export const MAX_WATCHLIST_LENGTH = 100;

/**
 * True when `text` takes more than `max` bytes as UTF-8. A UTF-16 unit is at least one byte and at most
 * three, so most texts are answered without counting.
 */
export function exceedsBytes(text: string, max: number): boolean {
  if (text.length > max) return true;
  if (text.length * 3 <= max) return false;
  return Buffer.byteLength(text) > max;
}
