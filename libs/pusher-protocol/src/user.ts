import { parseJsonObject, rawMember } from './json-text.js';
import { exceedsBytes, MAX_SIGNED_IN_USER_ID_BYTES, type ProtocolLimits } from './limits.js';

/** A user in a presence channel. Two connections with the same `userId` are one member. */
export interface Member {
  readonly userId: string;
  /** JSON text of the id when the app signed a number: dialect `reverb` sends it as it was signed. */
  readonly userIdJson?: string;
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
  if (parseJsonObject(channelData) === undefined) return undefined;
  const id = findMemberId(rawMember(channelData, 'user_id') ?? '');
  return id === undefined ? undefined : withUserInfo(id, channelData);
}

/**
 * The id in a JSON text, or undefined when it is none. user_id is compared as a string. A whole number keeps the digits
 * that were sent: ids of 64 bits do not fit into a JavaScript number, and two users must not become one. Total.
 */
export function findMemberId(json: string): Pick<Member, 'userId' | 'userIdJson'> | undefined {
  const value = parseJson(json);
  if (typeof value === 'string') return value === '' ? undefined : { userId: value };
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  return { userId: /^-?\d+$/.test(json) ? json : String(value), userIdJson: json };
}

/** The member's id as JSON, of the type that the app signed: `"7"` or `7`. */
export function userIdAsSigned({ userId, userIdJson }: Member): string {
  return userIdJson ?? JSON.stringify(userId);
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
  const { userId, userIdJson = userId } = member;
  // A number may be written in many more digits than it has: 7.000.
  if (
    exceedsBytes(userId, limits.presenceMaxUserIdLength) ||
    exceedsBytes(userIdJson, limits.presenceMaxUserIdLength)
  ) {
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Adds user_info as the app wrote it; null is as good as absent. */
function withUserInfo<T extends object>(user: T, json: string): T & { readonly userInfoJson?: string } {
  const userInfoJson = rawMember(json, 'user_info');
  return userInfoJson === undefined || userInfoJson === 'null' ? user : { ...user, userInfoJson };
}
