import { describe, expect, it } from 'vitest';
import { testPair } from '../../../test/support/tls/certificates.js';
import { loadConfig, type Environment } from './config/load-config.js';
import { webSocketUrl, welcome } from './welcome.js';

const { certPath, keyPath } = testPair('first');
const APP = { POGO_WS_APP_KEY: 'key', POGO_WS_APP_SECRET: 's3cret' };
const TLS = { POGO_WS_TLS_CERT: certPath, POGO_WS_TLS_KEY: keyPath };

const load = (environment: Environment) => loadConfig({ ...APP, ...environment });
/** A configuration whose certificate has those names. */
const named = (names: readonly string[], environment: Environment = {}) => ({
  ...load({ ...TLS, ...environment }),
  tls: { certPath, keyPath, names },
});

describe('What a newcomer is shown', () => {
  it('without TLS is http, ws and their port', () => {
    const text = welcome(load({}), 8080);
    for (const line of [
      'ws://localhost:8080/app/key',
      'http://localhost:8080/apps/1',
      "wsHost: 'localhost',",
      'wsPort: 8080,',
      'forceTLS: false,',
      'REVERB_PORT=8080',
      'REVERB_SCHEME=http\n',
    ]) {
      expect(text).toContain(line);
    }
    expect(text).not.toMatch(/https|wss:|wssPort/);
  });

  it('with TLS is https, wss and their port', () => {
    const text = welcome(load({ ...TLS, POGO_WS_PATH_PREFIX: '/ws' }), 8443);
    for (const line of [
      'wss://localhost:8443/ws/app/key',
      'https://localhost:8443/ws/apps/1',
      "wsHost: 'localhost',",
      'wssPort: 8443,',
      "wsPath: '/ws',",
      'forceTLS: true,',
      'REVERB_PORT=8443',
      'REVERB_SCHEME=https\n',
    ]) {
      expect(text).toContain(line);
    }
    expect(text).not.toMatch(/http:|ws:|wsPort/);
  });

  it('never is the secret of an app that was configured, nor a key', () => {
    const text = welcome(load(TLS), 8443);
    expect(text).toContain('REVERB_APP_SECRET=<your app secret>');
    expect(text).not.toMatch(/s3cret|PRIVATE KEY/);
  });
});

describe('The URL', () => {
  it.each<[host: string, names: readonly string[], url: string]>([
    ['0.0.0.0', ['ws.example.com', 'localhost'], 'wss://localhost:443/app/key'],
    ['0.0.0.0', ['*.example.com', 'ws.example.com'], 'wss://ws.example.com:443/app/key'],
    ['10.0.0.1', ['ws.example.com'], 'wss://ws.example.com:443/app/key'],
    ['10.0.0.1', ['ws.example.com', '10.0.0.1'], 'wss://10.0.0.1:443/app/key'],
    ['10.0.0.1', ['*.example.com'], 'wss://10.0.0.1:443/app/key'],
    ['::', [], 'wss://localhost:443/app/key'],
    ['fd00::1', ['fd00::1'], 'wss://[fd00::1]:443/app/key'],
  ])('for %s has a name of the certificate, of %j', (host, names, url) => {
    expect(webSocketUrl(named(names, { POGO_WS_HOST: host }), 443)).toBe(url);
  });

  it('without TLS has the host', () => {
    expect(webSocketUrl(load({ POGO_WS_HOST: '10.0.0.1' }), 80)).toBe('ws://10.0.0.1:80/app/key');
  });
});
