import { describe, expect, it } from 'vitest';
import { loadConfig } from './config/load-config.js';
import { diagnose } from './diagnostics.js';

const APP = { POGO_WS_APP_KEY: 'key', POGO_WS_APP_SECRET: 'secret' };
/** What the `.env` of a Laravel application next to the server says when all is right. */
const LARAVEL = {
  APP_URL: 'http://localhost',
  REVERB_HOST: 'localhost',
  REVERB_PORT: '8080',
  REVERB_SCHEME: 'http',
  VITE_REVERB_SCHEME: 'http',
};

function said(environment: Record<string, string>, port = 8080): string[] {
  return diagnose(loadConfig({ ...APP, ...environment }), port, environment);
}

describe('The start-up diagnostics', () => {
  it('say nothing where all fits together, or nothing is known', () => {
    expect(said({})).toEqual([]);
    expect(said(LARAVEL)).toEqual([]);
    const behindProxy = { APP_URL: 'https://shop.example', REVERB_HOST: 'ws.shop.example', REVERB_PORT: '443' };
    expect(said({ ...behindProxy, REVERB_SCHEME: 'https', POGO_WS_TRUSTED_PROXIES: '10.0.0.0/8' })).toEqual([]);
  });

  it('take an empty variable for one that is not set', () => {
    expect(said({ ...LARAVEL, REVERB_PORT: '', VITE_REVERB_SCHEME: '' })).toEqual([]);
    expect(said({ REVERB_PORT: '', REVERB_SERVER_PATH: '', POGO_WS_PATH_PREFIX: '/ws' })).toEqual([]);
    const mixed = { ...LARAVEL, APP_URL: 'https://shop.example', VITE_REVERB_SCHEME: '' };
    expect(said(mixed)).toEqual([expect.stringContaining('browsers refuse ws://')]);
  });

  it.each<[string, Record<string, string>, string]>([
    [
      'a page over https with sockets over http',
      { ...LARAVEL, APP_URL: 'https://shop.example' },
      'browsers refuse ws://',
    ],
    ['https asked of a server without a certificate', { ...LARAVEL, REVERB_SCHEME: 'https' }, 'speaks plain http'],
    ['another port', { ...LARAVEL, REVERB_PORT: '6001' }, 'REVERB_PORT is 6001 but this server listens on 8080'],
    [
      'a proxy that is not trusted',
      { REVERB_HOST: 'ws.shop.example', REVERB_SCHEME: 'https' },
      'trusted_proxies names none',
    ],
    ['a prefix that Laravel does not know', { ...LARAVEL, POGO_WS_PATH_PREFIX: '/ws' }, "wsPath: '/ws'"],
    [
      'an http endpoint of an https application',
      { APP_URL: 'https://shop.example', POGO_WS_AUTH_ENDPOINT: 'http://shop.example' },
      'auth_endpoint of app 1 is http',
    ],
  ])('name %s', (_what, environment, sentence) => {
    const sentences = said(environment);
    expect(
      sentences.some((each) => each.includes(sentence)),
      sentences.join('\n'),
    ).toBe(true);
    expect(sentences.join()).not.toContain('secret');
  });
});
