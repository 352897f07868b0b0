import { parseJsonObject, rawMember } from './json-text.js';
import { exceedsBytes, MAX_SIGNED_IN_USER_ID_BYTES, type ProtocolLimits } from './limits.js';

/** A user in a presence channel. Two connections with the same `userId` are one member. */
export interface Member {
  readonly userId: string;
  /** JSON text of `user_info` as the app signed it; absent when the app gave none. */
  readonly userInfoJson?: string;
}

/** A user that signed in with `pusher:signin`. */
export interface SignedInUser {
  readonly id: string;
  /** JSON text of `user_info`; absent when the app gave none. */
  readonly userInfoJson?: string;
  /** User ids whose presence this user wants to follow; empty when none were given. */
  readonly watchlist: readonly string[];
}

/** The member in a presence subscription's `channel_data`: `{"user_id": string | number, "user_info"?: any}`. */
export function parseChannelData(channelData: string): Member | undefined {
  const fields = parseJsonObject(channelData);
  const userId = fields === undefined ? undefined : userIdText(fields['user_id'], channelData);
  if (userId === undefined) return undefined;
  return withUserInfo({ userId }, channelData);
}

/**
 * The `user_data` that tells a client who it is now: its own, unless somebody decided that it is another user. pusher-js
 * believes it.
 */
export function userDataOf(user: SignedInUser, userData: string): string {
  if (parseUserData(userData)?.id === user.id) return userData;
  const info = user.userInfoJson === undefined ? '' : `,"user_info":${user.userInfoJson}`;
  return `{"id":${JSON.stringify(user.id)}${info}}`;
}

/** A connection without `channel_data` joins a presence channel as its signed-in user. */
export function memberOf(user: SignedInUser): Member {
  return user.userInfoJson === undefined ? { userId: user.id } : { userId: user.id, userInfoJson: user.userInfoJson };
}

/** The sentence that says which limit `member` breaks, or undefined when it breaks none. */
export function memberLimitBroken(member: Member, limits: ProtocolLimits): string | undefined {
  if (exceedsBytes(member.userId, limits.presenceMaxUserIdLength)) {
    return `user_id exceeds the allowed maximum (${limits.presenceMaxUserIdLength} bytes)`;
  }
  if (exceedsBytes(member.userInfoJson ?? '', limits.presenceMaxUserInfoBytes)) {
    return `user_info exceeds the allowed maximum (${limits.presenceMaxUserInfoBytes} bytes)`;
  }
  return undefined;
}

/** The user in `pusher:signin`'s `user_data`, or undefined when it has no usable `id`. */
export function parseUserData(userData: string): SignedInUser | undefined {
  const fields = parseJsonObject(userData);
  const id = fields?.['id'];
  if (fields === undefined || typeof id !== 'string' || id === '') return undefined;
  if (exceedsBytes(id, MAX_SIGNED_IN_USER_ID_BYTES)) return undefined;
  const watchlist = fields['watchlist'] ?? [];
  if (!Array.isArray(watchlist) || !watchlist.every((entry): entry is string => typeof entry === 'string')) {
    return undefined;
  }
  return withUserInfo({ id, watchlist }, userData);
}

/**
 * user_id is compared and sent as a string. A whole number keeps the digits that were sent: ids of 64 bits do not fit
 * into a JavaScript number, and two users must not become one.
 */
function userIdText(value: unknown, json: string): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  const text = rawMember(json, 'user_id') ?? '';
  return /^-?\d+$/.test(text) ? text : String(value);
}

/** Adds user_info as the app wrote it; null is as good as absent. */
function withUserInfo<T extends object>(user: T, json: string): T & { readonly userInfoJson?: string } {
  const userInfoJson = rawMember(json, 'user_info');
  return userInfoJson === undefined || userInfoJson === 'null' ? user : { ...user, userInfoJson };
}
