import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig, type Environment } from './load-config.js';

const APP = { POGO_WS_APP_KEY: 'key', POGO_WS_APP_SECRET: 'secret' };
const load = (environment: Environment = {}) => loadConfig({ ...APP, ...environment });

function problemsOf(environment: Environment): readonly string[] {
  try {
    load(environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

describe('The handshake throttle', () => {
  it.each<[Environment, unknown]>([
    [{}, { perSecond: 100, burst: 50 }],
    [
      { POGO_WS_HANDSHAKE_RATE: '0', POGO_WS_HANDSHAKE_BURST: '0' },
      { perSecond: 100, burst: 50 },
    ],
    [{ POGO_WS_HANDSHAKE_RATE: '0.5' }, { perSecond: 0.5, burst: 50 }],
    [{ POGO_WS_HANDSHAKE_RATE: '-1' }, undefined],
    [{ POGO_WS_HANDSHAKE_BURST: '-1' }, undefined],
  ])('of %j is %j', (environment, rate) => {
    expect(load(environment).hub.handshakeRate).toEqual(rate);
  });

  it('needs a burst of one at least: with less nobody would get in', () => {
    expect(problemsOf({ POGO_WS_HANDSHAKE_BURST: '0.5' })).toEqual([
      'POGO_WS_HANDSHAKE_BURST = "0.5": must be a number from 1 (0 = the default, negative = off)',
    ]);
  });
});

describe('The connections of one address', () => {
  it.each([
    [undefined, undefined],
    ['0', undefined],
    ['-1', undefined],
    ['7', 7],
  ])('of %j are %j', (value, limit) => {
    expect(load({ POGO_WS_MAX_CONNECTIONS_PER_IP: value }).hub.maxConnectionsPerIp).toBe(limit);
  });

  it('are no fraction', () => {
    expect(problemsOf({ POGO_WS_MAX_CONNECTIONS_PER_IP: '0.5' })).toHaveLength(1);
  });
});

describe('Trusted proxies', () => {
  it('are addresses and CIDRs', () => {
    const { trustedProxies } = load({ POGO_WS_TRUSTED_PROXIES: '10.0.0.0/8, ::1,192.0.2.1' });
    expect(trustedProxies.clientOf({ remoteAddress: '10.9.9.9' }, '203.0.113.1, 192.0.2.1')).toBe('203.0.113.1');
    expect(load().trustedProxies.clientOf({ remoteAddress: '10.9.9.9' }, '203.0.113.1')).toBe('10.9.9.9');
  });

  it('are all named that are wrong', () => {
    expect(problemsOf({ POGO_WS_TRUSTED_PROXIES: '10.0.0.0/8, proxy.local,1.2.3.4/40' })).toEqual([
      'POGO_WS_TRUSTED_PROXIES: "proxy.local" is no IP address and no CIDR such as 10.0.0.0/8',
      'POGO_WS_TRUSTED_PROXIES: "1.2.3.4/40" is no IP address and no CIDR such as 10.0.0.0/8',
    ]);
  });
});

describe('The authorization endpoint', () => {
  it.each([
    ['http://app', 'http://app/broadcasting/auth'],
    ['https://app.example/', 'https://app.example/broadcasting/auth'],
    ['https://app.example/pusher/auth', 'https://app.example/pusher/auth'],
    ['https://app.example/?x=1', 'https://app.example/?x=1'],
    [' http://127.0.0.1:8000 ', 'http://127.0.0.1:8000/broadcasting/auth'],
  ])('%j is %s', (value, url) => {
    expect(load({ POGO_WS_AUTH_ENDPOINT: value }).apps[0]?.authEndpoint).toBe(url);
  });

  it('has another path when that is set, unless it has one of its own', () => {
    const path = { POGO_WS_AUTH_PATH: '/api/auth' };
    expect(load({ ...path, POGO_WS_AUTH_ENDPOINT: 'http://app' }).apps[0]?.authEndpoint).toBe('http://app/api/auth');
    expect(load({ ...path, POGO_WS_AUTH_ENDPOINT: 'http://app/x' }).apps[0]?.authEndpoint).toBe('http://app/x');
    expect(load(path).apps[0]?.authEndpoint).toBeUndefined();
  });

  it.each(['app', 'ftp://app', '/broadcasting/auth', 'http://user:pass@app/', 'http://app/#x', 'http://'])(
    'is not %j',
    (value) => {
      expect(problemsOf({ POGO_WS_AUTH_ENDPOINT: value })).toEqual([
        `POGO_WS_AUTH_ENDPOINT = ${JSON.stringify(value).replace('user:pass', '<redacted>')}: must be an http:// or https:// URL without credentials and fragment`,
      ]);
    },
  );

  it.each(['auth', '/a b', '/a#b', '//evil.example/auth'])('has no path %j', (value) => {
    expect(problemsOf({ POGO_WS_AUTH_PATH: value })).toEqual([
      `POGO_WS_AUTH_PATH = ${JSON.stringify(value)}: must be a path such as /broadcasting/auth`,
    ]);
  });
});

describe('Commands', () => {
  it('are served with a secret, over TCP with a port as well', () => {
    expect(load().commands).toBeUndefined();
    expect(load({ POGO_WS_COMMAND_SECRET: 's3cret' }).commands).toEqual({ secret: 's3cret', port: undefined });
    const both = { POGO_WS_COMMAND_SECRET: 's3cret', POGO_WS_COMMAND_PORT: '0' };
    expect(load(both).commands).toEqual({ secret: 's3cret', port: 0 });
  });

  it('have no port without a secret', () => {
    expect(problemsOf({ POGO_WS_COMMAND_PORT: '4000' })).toEqual([
      'POGO_WS_COMMAND_PORT needs POGO_WS_COMMAND_SECRET as well',
    ]);
  });

  it('have a secret that is never shown', () => {
    const problems = problemsOf({ POGO_WS_COMMAND_SECRET: ' ', POGO_WS_COMMAND_PORT: 'hunter2' });
    expect(problems).toContain('POGO_WS_COMMAND_SECRET = <redacted>: must be a non-empty text');
  });
});

it('The path of the Unix socket stays the same when the process changes its folder', () => {
  expect(load({ POGO_WS_UNIX_SOCKET: 'run/pogo.sock' }).unixSocket).toBe(join(process.cwd(), 'run/pogo.sock'));
  expect(load().unixSocket).toBeUndefined();
});

it('An application with an app provider of its own needs no app in the environment, in production either', () => {
  const config = loadConfig({ NODE_ENV: 'production', POGO_WS_HOST: '0.0.0.0' }, { hasAppProvider: true });
  expect(config).toMatchObject({ host: '0.0.0.0', apps: [], isDevelopmentApp: false });
});
