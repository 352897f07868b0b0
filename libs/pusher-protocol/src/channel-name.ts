import { exceedsBytes, MAX_SIGNED_IN_USER_ID_BYTES } from './limits.js';

/** Who may subscribe: anybody, whom the app authorizes, a presence member, or one signed-in user. */
export type ChannelKind = 'public' | 'private' | 'presence' | 'user';

/**
 * A valid channel name and everything that follows from it, decided once when the name enters the process.
 * Source: Pusher Channels naming conventions; prefixes are exact, so `privateer` and `my-cache-room` are public.
 */
export interface ChannelName {
  readonly name: string;
  readonly kind: ChannelKind;
  /** End-to-end encrypted: a private channel whose payload the server cannot read. */
  readonly isEncrypted: boolean;
  /** The last event is kept for late subscribers. */
  readonly isCached: boolean;
  /** For kind `user`: the only user that may subscribe. */
  readonly userId?: string;
}

const NAME = /^[A-Za-z0-9_\-=@,.;]+$/;
const SERVER_TO_USER = '#server-to-user-';

type Traits = Pick<ChannelName, 'kind' | 'isEncrypted' | 'isCached'>;

/** Longest prefix first: the first that matches decides. */
const PREFIXES: readonly (readonly [prefix: string, traits: Traits])[] = [
  ['private-encrypted-cache-', { kind: 'private', isEncrypted: true, isCached: true }],
  ['private-encrypted-', { kind: 'private', isEncrypted: true, isCached: false }],
  ['private-cache-', { kind: 'private', isEncrypted: false, isCached: true }],
  ['private-', { kind: 'private', isEncrypted: false, isCached: false }],
  ['presence-cache-', { kind: 'presence', isEncrypted: false, isCached: true }],
  ['presence-', { kind: 'presence', isEncrypted: false, isCached: false }],
  ['cache-', { kind: 'public', isEncrypted: false, isCached: true }],
];
const PUBLIC: Traits = { kind: 'public', isEncrypted: false, isCached: false };

/** Why a text is not a channel name; `too_long` and `malformed` have different HTTP statuses. */
export type ChannelNameFault = 'too_long' | 'malformed';

/** The channel name in `text`, or why it is none. `maxLength` is in bytes. */
export function parseChannelName(text: string, maxLength: number): ChannelName | ChannelNameFault {
  if (text.startsWith(SERVER_TO_USER)) return parseServerToUser(text);
  if (exceedsBytes(text, maxLength)) return 'too_long';
  if (!NAME.test(text)) return 'malformed';
  const traits = PREFIXES.find(([prefix]) => text.startsWith(prefix))?.[1] ?? PUBLIC;
  return { name: text, ...traits };
}

/** The sentence for a name that is `too_long`, with the limit that it broke. `maxLength` as in {@link parseChannelName}. */
export function channelTooLong(text: string, maxLength: number): string {
  return text.startsWith(SERVER_TO_USER)
    ? `The user id of a channel name exceeds the allowed maximum (${MAX_SIGNED_IN_USER_ID_BYTES} bytes)`
    : `A channel name exceeds the allowed maximum (${maxLength} bytes)`;
}

/** The channel that reaches every connection of a signed-in user (`sendToUser` of the server libraries). */
export function serverToUserChannel(userId: string): string {
  return SERVER_TO_USER + userId;
}

function parseServerToUser(text: string): ChannelName | ChannelNameFault {
  const userId = text.slice(SERVER_TO_USER.length);
  if (userId === '') return 'malformed';
  if (exceedsBytes(userId, MAX_SIGNED_IN_USER_ID_BYTES)) return 'too_long';
  return { name: text, kind: 'user', isEncrypted: false, isCached: false, userId };
}
