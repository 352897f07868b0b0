import type { Handshake } from 'pogo-gateway/hub';

/** Three parts in base64url. A Pusher signature is `key:hex`, so the two are never taken for each other. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/;
const BEARER = /^Bearer +(\S+)$/i;
const COOKIE = /(?:^|;\s*)session=([^;\s]+)/;

/** The token of an `Authorization` header. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return BEARER.exec(authorization ?? '')?.[1];
}

/**
 * The token that a client shows: with the subscription, or else in its handshake. Undefined when it shows none, or has
 * a signature instead.
 */
export function tokenOf(auth: string | undefined, { headers, query }: Handshake): string | undefined {
  if (auth !== undefined) return JWT.test(auth) ? auth : undefined;
  return bearerToken(headers['authorization']) ?? query['token'] ?? COOKIE.exec(headers['cookie'] ?? '')?.[1];
}
