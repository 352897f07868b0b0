import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { exportJWK, exportSPKI, generateKeyPair, type GenerateKeyPairResult } from 'jose';
import { authSettings } from '../src/auth/auth-settings.js';
import { TokenRefused, TokenVerifier } from '../src/auth/token-verifier.js';
import { issue, settings, unsigned } from './support/tokens.js';

const refused = (error: unknown) => error instanceof TokenRefused;

describe('tokens with a shared secret', () => {
  const tokens = new TokenVerifier(settings);

  it('says who a token was issued to', async () => {
    assert.equal(await tokens.verify(await issue('ada'), '1'), 'ada');
  });

  it('says that a token has expired', async () => {
    const token = await issue('ada', { claims: { exp: Math.floor(Date.now() / 1_000) - 60 } });
    await assert.rejects(tokens.verify(token, '1'), (error) => error instanceof TokenRefused && error.isExpired);
  });

  const foreign: readonly (readonly [title: string, token: () => Promise<string>])[] = [
    ['another issuer', () => issue('ada', { claims: { iss: 'https://elsewhere.example' } })],
    ['another app', () => issue('ada', { claims: { aud: '2' } })],
    ['another secret', () => issue('ada', { key: new TextEncoder().encode('x'.repeat(32)) })],
    ['another algorithm', () => issue('ada', { alg: 'HS512', key: new TextEncoder().encode(settings.secret) })],
    ['no signature (alg none)', () => Promise.resolve(unsigned('ada'))],
    ['no end', () => issue('ada', { claims: { exp: undefined } })],
    ['nobody', () => issue('ada', { claims: { sub: undefined } })],
  ];
  for (const [title, token] of foreign) {
    it(`refuses a token of ${title}`, async () => {
      await assert.rejects(tokens.verify(await token(), '1'), refused);
    });
  }
});

describe('tokens with public keys', () => {
  let server: Server;
  let pair: GenerateKeyPairResult;
  let tokens: TokenVerifier;

  before(async () => {
    pair = await generateKeyPair('ES256');
    const keys = [{ ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }];
    server = createServer((_request, response) => response.end(JSON.stringify({ keys }))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    tokens = new TokenVerifier({ issuer: settings.issuer, jwksUrl: `http://127.0.0.1:${port}/jwks` });
  });
  after(() => server.close());

  it('says who a token was issued to', async () => {
    const token = await issue('ada', { alg: 'ES256', kid: 'one', key: pair.privateKey });
    assert.equal(await tokens.verify(token, '1'), 'ada');
  });

  it('does not take the public key for a shared secret', async () => {
    const key = new TextEncoder().encode(await exportSPKI(pair.publicKey));
    await assert.rejects(tokens.verify(await issue('ada', { kid: 'one', key }), '1'), refused);
  });

  it('refuses a token of a key that the issuer does not have', async () => {
    const { privateKey: key } = await generateKeyPair('ES256');
    await assert.rejects(tokens.verify(await issue('ada', { alg: 'ES256', kid: 'two', key }), '1'), refused);
  });

  it('blames nobody’s token while the issuer is away', async () => {
    const away = new TokenVerifier({ issuer: settings.issuer, jwksUrl: 'http://127.0.0.1:1/jwks' });
    const token = await issue('ada', { alg: 'ES256', kid: 'one', key: pair.privateKey });
    await assert.rejects(away.verify(token, '1'), (error) => !refused(error));
  });
});

describe('settings', () => {
  const right = { JWT_ISSUER: 'i', JWT_SECRET: 's'.repeat(32) };
  const wrong: readonly NodeJS.ProcessEnv[] = [
    {},
    { ...right, JWT_ISSUER: '' },
    { ...right, JWT_JWKS_URL: 'https://id.example/jwks' },
    { ...right, JWT_SECRET: 'too-short' },
    { JWT_ISSUER: 'i', JWT_JWKS_URL: 'nonsense' },
  ];

  it('are what the environment says', () => {
    assert.deepEqual(authSettings(right), { issuer: 'i', secret: 's'.repeat(32) });
    const jwksUrl = 'https://id.example/jwks';
    assert.deepEqual(authSettings({ JWT_ISSUER: 'i', JWT_JWKS_URL: jwksUrl }), { issuer: 'i', jwksUrl });
  });

  for (const environment of wrong) {
    it(`are refused, without a value: ${Object.keys(environment).join(' ') || 'none'}`, () => {
      assert.throws(
        () => authSettings(environment),
        (error: Error) => !/too-short|nonsense|sss/.test(error.message),
      );
    });
  }
});
