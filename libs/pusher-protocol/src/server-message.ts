import type { PusherErrorData, SubscriptionError } from './pusher-error.js';
import { pusherMessages } from './pusher-messages.js';
import { reverbMessages } from './reverb-messages.js';
import type { Member } from './user.js';

export { pusherMessages };

/** Names of the dialects that an app may speak. */
export const DIALECT_NAMES = ['pusher', 'reverb'] as const;
export type DialectName = (typeof DIALECT_NAMES)[number];

/**
 * Everything the server says, as the text of one WebSocket message. One object per dialect: apps differ in wording
 * and key order, never in meaning. Texts are built from JSON fragments, so payloads are never parsed again.
 */
export interface ServerMessages {
  /** What the client is told to expect; an app's dialect may override the server's setting. */
  connectionEstablished(socketId: string, activityTimeoutSeconds: number): string;
  pong(): string;
  error(error: PusherErrorData): string;
  /** All that a client is told of its refused subscription, in this order. */
  subscriptionRefused(error: SubscriptionError): readonly string[];
  subscriptionSucceeded(channel: string): string;
  presenceSubscriptionSucceeded(channel: string, members: readonly Member[]): string;
  memberAdded(channel: string, member: Member): string;
  memberRemoved(channel: string, member: Member): string;
  cacheMiss(channel: string): string;
  signinSuccess(userData: string): string;
  /** Connections in the channel, on all nodes. */
  subscriptionCount(channel: string, count: number): string;
  /** Users of a watchlist that are online and those that are not; who is in neither list has not changed. */
  watchlistEvents(online: readonly string[], offline: readonly string[]): string;
  /**
   * An event that a publisher sent. `dataJson` is its data, any text, as a JSON string: made once for all channels of a
   * publish.
   */
  event(channel: string, event: string, dataJson: string): string;
  /** A client event; `dataJson` is relayed as it was sent, the sender's `member` is there on presence channels only. */
  clientEvent(channel: string, event: string, dataJson: string | undefined, member: Member | undefined): string;
}

const DIALECTS: Record<DialectName, ServerMessages> = { pusher: pusherMessages, reverb: reverbMessages };

export function messagesOf(dialect: DialectName): ServerMessages {
  return DIALECTS[dialect];
}
