import { SignJWT } from 'jose';
import { authSettings } from './auth/auth-settings.js';
import { APP_ID } from './settings.js';

/** `npm run token -- ada` prints a token for an hour. Your identity provider issues them in production. */
const [userId = 'ada'] = process.argv.slice(2);
const { issuer, secret } = authSettings(process.env);
if (secret === undefined) throw new Error('needs JWT_SECRET: with JWT_JWKS_URL only the issuer can sign');
const token = await new SignJWT()
  .setProtectedHeader({ alg: 'HS256' })
  .setIssuer(issuer)
  .setAudience(APP_ID)
  .setSubject(userId)
  .setExpirationTime('1h')
  .sign(new TextEncoder().encode(secret));
console.log(token);
