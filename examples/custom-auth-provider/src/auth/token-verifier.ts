import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import type { AuthSettings } from './auth-settings.js';

/** What is wrong with a token is its bearer's business. Anything else that goes wrong is not. */
const FAULTS = [
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSMultipleMatchingKeys,
  errors.JWKSNoMatchingKey,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JWTClaimValidationFailed,
  errors.JWTExpired,
  errors.JWTInvalid,
];

/** The token is not one that lets anybody in. */
export class TokenRefused extends Error {
  constructor(readonly isExpired: boolean) {
    super(isExpired ? 'The token has expired' : 'The token is not valid');
  }
}

/** Verifies who a token was issued to. */
export class TokenVerifier {
  private readonly key: JWTVerifyGetKey;
  /** One family only: with both, a public key could be taken for a shared secret. `none` is in neither. */
  private readonly algorithms: string[];
  private readonly issuer: string;

  constructor({ issuer, secret, jwksUrl }: AuthSettings) {
    this.issuer = issuer;
    if (jwksUrl !== undefined) {
      // Fetched when needed, kept, and asked for again at most twice a minute however many unknown keys are named.
      this.key = createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 2_000 });
      this.algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];
    } else {
      const bytes = new TextEncoder().encode(secret);
      this.key = () => bytes;
      this.algorithms = ['HS256'];
    }
  }

  /**
   * Resolves to the user's id.
   * @param appId the token's `aud`: who may enter one app has no business in another.
   * @throws TokenRefused, and other errors when the issuer's keys cannot be had.
   */
  async verify(token: string, appId: string): Promise<string> {
    try {
      const { payload } = await jwtVerify(token, this.key, {
        issuer: this.issuer,
        audience: appId,
        algorithms: this.algorithms,
        requiredClaims: ['exp', 'sub'],
      });
      return payload.sub as string;
    } catch (error) {
      if (FAULTS.some((fault) => error instanceof fault)) throw new TokenRefused(error instanceof errors.JWTExpired);
      throw error;
    }
  }
}
