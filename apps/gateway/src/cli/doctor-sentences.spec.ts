import { describe, expect, it } from 'vitest';
import { CliError } from './context.js';
import { apiSentence, openingSentence, skewSentence, transportSentence, upSentence } from './doctor-sentences.js';

const BASE = 'https://ws.example';
const TARGET = { base: BASE, appId: '7', key: 'k', secret: 's', timeoutMs: 1 };

describe('The doctor', () => {
  it.each([
    ['ENOTFOUND', 'getaddrinfo ENOTFOUND', 'there is no such host'],
    ['EAI_AGAIN', '', 'there is no such host'],
    ['ECONNREFUSED', '', 'nobody listens there'],
    ['CERT_HAS_EXPIRED', '', 'has expired'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', '', 'for another name'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', '', 'self-signed'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', '', 'full chain'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', '', 'speaks plain http'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', '', 'NODE_EXTRA_CA_CERTS'],
    ['ECONNRESET', 'the connection was cut', 'cut without an answer'],
  ])('explains %s', (code, message, words) => {
    const sentence = transportSentence(BASE, new CliError(message, 1, { code }));
    expect(sentence).toContain(words);
    expect(sentence.startsWith(BASE)).toBe(true);
  });

  it('advises https only where it is not used yet', () => {
    const error = new CliError('Parse Error', 1, { code: 'HPE_INVALID_CONSTANT' });
    expect(transportSentence('http://ws.example', error)).toContain('use https://');
    expect(transportSentence(BASE, error)).not.toContain('use https://');
  });

  it.each([
    [401, 'authentication signature invalid: key', 'not that of app 7'],
    [401, 'authentication signature invalid: timestamp', 'run NTP'],
    [401, 'authentication signature invalid: digest', 'the body has changed'],
    [401, 'authentication signature invalid: signature', 'the secret is wrong: compare'],
    // Dialect reverb.
    [401, 'Authentication signature invalid.', 'or the key is not that of app 7'],
    [404, 'application not found', 'no app with the id 7'],
    [404, 'Not Found', 'must pass /apps on'],
    [429, 'slow down', 'http_rate_limit'],
    [500, 'publish failed: broker_failed', 'Redis is out of reach'],
    [302, '', 'publishing is redirected'],
    [418, 'teapot', 'publishing is answered 418: teapot'],
  ])('explains a publish that is answered %i %s', (status, error, words) => {
    expect(apiSentence(TARGET, status, error)).toContain(words);
  });

  it.each([
    [429, 'trusted_proxies'],
    [401, 'asks for a login'],
    [502, 'does not reach the gateway for WebSockets'],
    [200, 'does not hand on Upgrade and Connection'],
  ])('explains a handshake that is answered %i', (status, words) => {
    expect(openingSentence(BASE, { outcome: 'no_upgrade', status, location: undefined })).toContain(words);
  });

  it('explains a WebSocket that is cut', () => {
    expect(openingSentence(BASE, { outcome: 'refused', code: 1006, message: '' })).toMatch(/with 1006: .*in between/);
    expect(openingSentence(BASE, { outcome: 'failed', code: 'ECONNRESET', message: 'socket hang up' })).toContain(
      'WebSockets not',
    );
  });

  it.each([
    ['shutting_down', 'being stopped or replaced'],
    ['hub_not_initialized', 'is starting'],
    ['hub_unhealthy', 'restart it'],
  ])('explains /up that says %s', (status, words) => {
    expect(upSentence(BASE, { status: 503, headers: new Headers(), body: { status } })).toContain(words);
  });

  it('minds clocks before they matter', () => {
    expect(skewSentence(1_000)[0]).toBe('ok');
    expect(skewSentence(-31_000)).toEqual(['warning', expect.stringContaining('31 s apart')]);
    expect(skewSentence(601_000)[0]).toBe('wrong');
  });
});
