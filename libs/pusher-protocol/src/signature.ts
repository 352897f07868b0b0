import { createHmac, createSecretKey, hash, timingSafeEqual, type KeyObject } from 'node:crypto';

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
  return createHmac('sha256', keyOf(secret)).update(text).digest('hex');
}

/** The secrets in use as keys: a quarter of an HMAC went into making one of the same secret again. */
const keys = new Map<string, KeyObject>();
const MAX_KEYS = 10_000;

function keyOf(secret: string): KeyObject {
  let key = keys.get(secret);
  if (key === undefined) {
    if (keys.size >= MAX_KEYS) keys.clear();
    keys.set(secret, (key = createSecretKey(secret, 'utf8')));
  }
  return key;
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
  const parameters = query.filter(([key]) => key.toLowerCase() !== 'auth_signature');
  return `${method.toUpperCase()}\n${path}\n${parametersInOrder(parameters) ?? parametersSorted(parameters)}`;
}

/** Libraries send their parameters in the order in which they have signed them. Undefined when there is something to sort. */
function parametersInOrder(query: QueryPairs): string | undefined {
  let text = '';
  let last = '';
  for (const [key, value] of query) {
    const name = key.toLowerCase();
    if (name < last) return undefined;
    text += text === '' ? `${name}=${value}` : `&${name}=${value}`;
    last = name;
  }
  return text;
}

function parametersSorted(query: QueryPairs): string {
  return query
    .map(([key, value]): [key: string, value: string] => [key.toLowerCase(), value])
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, value]) => `${key}=${value}`)
    .join('&');
}

export function signHttpRequest(secret: string, method: string, path: string, query: QueryPairs): string {
  return hmacSha256Hex(secret, httpSigningText(method, path, query));
}

export function bodyMd5(body: Uint8Array): string {
  return hash('md5', body);
}
