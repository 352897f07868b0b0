/** HS256 needs a key as long as its hash (RFC 7518, 3.2). */
const MIN_SECRET_BYTES = 32;

/** How tokens are verified: with a secret that this application shares with their issuer, or with its public keys. */
export interface AuthSettings {
  readonly issuer: string;
  readonly secret?: string;
  readonly jwksUrl?: string;
}

/**
 * `JWT_ISSUER`, and either `JWT_SECRET` or `JWT_JWKS_URL`.
 * @throws Error that names what is missing. It never quotes a value.
 */
export function authSettings(environment: NodeJS.ProcessEnv): AuthSettings {
  const { JWT_ISSUER: issuer, JWT_SECRET: secret, JWT_JWKS_URL: jwksUrl } = environment;
  if (!issuer) throw new Error('JWT_ISSUER must be the `iss` of your tokens');
  if (Boolean(secret) === Boolean(jwksUrl)) throw new Error('set one of JWT_SECRET and JWT_JWKS_URL');
  if (jwksUrl) {
    if (!URL.canParse(jwksUrl)) throw new Error('JWT_JWKS_URL must be a URL');
    return { issuer, jwksUrl };
  }
  if (!secret || Buffer.byteLength(secret) < MIN_SECRET_BYTES) {
    throw new Error(`JWT_SECRET must have ${MIN_SECRET_BYTES} bytes or more`);
  }
  return { issuer, secret };
}
