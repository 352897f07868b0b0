import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** What every signature needs of an app. */
export interface SigningKey {
  readonly key: string;
  readonly secret: string;
}

/** Constant-time comparison of two short texts; texts of different length differ at once (lengths are public). */
export function equalsInConstantTime(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

export function hmacSha256Hex(secret: string, text: string | Uint8Array): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}

/**
 * `auth` of a private or presence subscription: `key:hex(HMAC-SHA256(secret, socket_id:channel[:channel_data]))`.
 * Source: Pusher "Authorized connections". Official vector in the spec beside this file.
 */
export function signChannel(app: SigningKey, socketId: string, channel: string, channelData?: string): string {
  const subject = channelData === undefined ? `${socketId}:${channel}` : `${socketId}:${channel}:${channelData}`;
  return `${app.key}:${hmacSha256Hex(app.secret, subject)}`;
}

export function verifyChannelSignature(
  app: SigningKey,
  auth: string,
  socketId: string,
  channel: string,
  channelData?: string,
): boolean {
  return equalsInConstantTime(auth, signChannel(app, socketId, channel, channelData));
}

/** `auth` of `pusher:signin`: signature over `socket_id::user::user_data`. Source: Pusher "User authentication". */
export function signUser(app: SigningKey, socketId: string, userData: string): string {
  return `${app.key}:${hmacSha256Hex(app.secret, `${socketId}::user::${userData}`)}`;
}

export function verifyUserSignature(app: SigningKey, auth: string, socketId: string, userData: string): boolean {
  return equalsInConstantTime(auth, signUser(app, socketId, userData));
}

/** Query parameters as received: decoded, in order, duplicates kept. */
export type QueryPairs = readonly (readonly [key: string, value: string])[];

/**
 * The text that an HTTP API request signs: `METHOD\nPATH\nk=v&k=v`, keys lower-cased and sorted, values not
 * URL-escaped, without `auth_signature`. Of a repeated key every value counts, in the order received.
 */
export function httpSigningText(method: string, path: string, query: QueryPairs): string {
  const pairs = query
    .map(([key, value]) => [key.toLowerCase(), value] as const)
    .filter(([key]) => key !== 'auth_signature')
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `${method.toUpperCase()}\n${path}\n${pairs.map(([key, value]) => `${key}=${value}`).join('&')}`;
}

export function signHttpRequest(secret: string, method: string, path: string, query: QueryPairs): string {
  return hmacSha256Hex(secret, httpSigningText(method, path, query));
}

export function bodyMd5(body: Uint8Array): string {
  return createHash('md5').update(body).digest('hex');
}
