import { SignJWT, type CryptoKey, type JWTPayload } from 'jose';
import type { AuthSettings } from '../../src/auth/auth-settings.js';

export const settings: AuthSettings = { issuer: 'https://id.example', secret: 's'.repeat(32) };

export interface TokenOptions {
  readonly alg?: string;
  readonly kid?: string;
  readonly key?: CryptoKey | Uint8Array;
  /** Over those of a right token; undefined takes one away. */
  readonly claims?: { readonly [Name in keyof JWTPayload]?: JWTPayload[Name] | undefined };
}

/** A token for `userId` that is right but for what the options say. */
export function issue(userId: string, { alg = 'HS256', kid, key, claims }: TokenOptions = {}): Promise<string> {
  const exp = Math.floor(Date.now() / 1_000) + 60;
  const payload = { iss: settings.issuer, aud: '1', sub: userId, exp, ...claims };
  return new SignJWT(payload as JWTPayload)
    .setProtectedHeader(kid === undefined ? { alg } : { alg, kid })
    .sign(key ?? new TextEncoder().encode(settings.secret));
}

/** What somebody makes who hopes that nobody looks at the signature. */
export function unsigned(userId: string): string {
  const exp = Math.floor(Date.now() / 1_000) + 60;
  const parts = [{ alg: 'none' }, { iss: settings.issuer, aud: '1', sub: userId, exp }];
  return `${parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;
}
