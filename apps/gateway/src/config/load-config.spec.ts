import { completeApp } from '@pogo/hub';
import { describe, expect, it } from 'vitest';
import type { ConfigExtras, GatewayConfig } from './gateway-config.js';
import { ConfigError, loadConfig, type Environment } from './load-config.js';

const APP = { POGO_WS_APP_KEY: 'key', POGO_WS_APP_SECRET: 'secret' };

/** What is wrong with an environment; empty when nothing is. */
function problemsOf(environment: Environment, extras?: ConfigExtras): readonly string[] {
  try {
    loadConfig(environment, extras);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

const load = (environment: Environment): GatewayConfig => loadConfig({ ...APP, ...environment });

describe('Precedence', () => {
  const reverb = {
    REVERB_SERVER_HOST: '10.0.0.1',
    REVERB_SERVER_PORT: '9000',
    REVERB_SERVER_PATH: 'reverb',
    REVERB_APP_ID: '7',
    REVERB_APP_KEY: 'reverb-key',
    REVERB_APP_SECRET: 'reverb-secret',
  };

  it('takes the defaults when nothing is set', () => {
    expect(load({})).toMatchObject({ host: '0.0.0.0', port: 8_080, pathPrefix: '' });
  });

  it("takes the names of a Reverb application's .env over the defaults", () => {
    const config = loadConfig(reverb);
    expect(config).toMatchObject({ host: '10.0.0.1', port: 9_000, pathPrefix: '/reverb' });
    expect(config.apps).toMatchObject([{ id: '7', key: 'reverb-key', secret: 'reverb-secret' }]);
  });

  it('takes POGO_WS_* over the Reverb names, one by one and wherever they stand', () => {
    for (const environment of [
      { ...reverb, POGO_WS_PORT: '1', POGO_WS_APP_SECRET: 'pogo-secret' },
      { POGO_WS_PORT: '1', POGO_WS_APP_SECRET: 'pogo-secret', ...reverb },
    ]) {
      const config = loadConfig(environment);
      expect(config).toMatchObject({ host: '10.0.0.1', port: 1 });
      expect(config.apps).toMatchObject([{ id: '7', key: 'reverb-key', secret: 'pogo-secret' }]);
    }
  });

  it('takes an empty variable as not set', () => {
    expect(loadConfig({ ...reverb, POGO_WS_PORT: '', POGO_WS_HOST: undefined })).toMatchObject({
      host: '10.0.0.1',
      port: 9_000,
    });
    expect(load({ POGO_WS_PORT: '' }).port).toBe(8_080);
  });

  it('leaves other variables alone', () => {
    expect(load({ PORT: '1', HOST: 'x', REVERB_HOST: 'x', POGO_PORT: '1', pogo_ws_port: 'x' }).port).toBe(8_080);
  });
});

describe('Mistakes', () => {
  it('name the variable as it was written, its value and what would be right', () => {
    expect(problemsOf({ ...APP, POGO_WS_PORT: 'http' })).toEqual([
      'POGO_WS_PORT = "http": must be a whole number from 0 to 65535',
    ]);
    expect(problemsOf({ ...APP, REVERB_SERVER_PORT: '70000' })).toEqual([
      'REVERB_SERVER_PORT = "70000": must be a whole number from 0 to 65535',
    ]);
  });

  it('are reported all at once, in the message as well', () => {
    const environment = {
      ...APP,
      POGO_WS_PORT: '-1',
      POGO_WS_PING_PERIOD: '54',
      POGO_WS_MAX_BODY_BYTES: 'big',
      POGO_WS_SLOW_CONSUMER: 'wait',
      POGO_WS_CLIENT_MSG_RATE_LIMIT: 'fast',
      POGO_WS_XYZ_UNKNOWN_SETTING: '1',
    };
    const named = problemsOf(environment).map((problem) => problem.split(/[ :]/, 1)[0]);
    expect(named.sort()).toEqual(
      Object.keys(environment)
        .filter((name) => !(name in APP))
        .sort(),
    );
    expect(() => loadConfig(environment)).toThrow(/^The configuration is not valid:\n(  - POGO_WS_\w+.+\n?){6}$/);
  });

  it('in single values do not hide contradictions between others', () => {
    const problems = problemsOf({
      POGO_WS_PORT: 'x',
      POGO_WS_APP_KEY: 'key',
      POGO_WS_PING_PERIOD: '60s',
      POGO_WS_ALLOWED_ORIGINS: 'not an origin',
    });
    for (const named of ['POGO_WS_PORT', 'POGO_WS_APP_SECRET', 'POGO_WS_PING_PERIOD', 'not an origin']) {
      expect(problems).toContainEqual(expect.stringContaining(named));
    }
  });

  it('never show a secret', () => {
    const problems = problemsOf({ POGO_WS_APP_KEY: 'key', POGO_WS_APP_SECRET: ' \t ' });
    expect(problems).toEqual(['POGO_WS_APP_SECRET = <redacted>: must be a non-empty text']);
    const misspelt = problemsOf({ ...APP, POGO_WS_APP_SECRT: 'hunter2', POGO_WS_SECRET: 'hunter2', POGO_WS_PORT: 'x' });
    expect(misspelt.join()).not.toContain('hunter2');
    expect(misspelt.join()).not.toMatch(/"secret"/);
  });
});

describe('An unknown setting', () => {
  it.each([
    ['POGO_WS_PROT', 'POGO_WS_PORT'],
    ['POGO_WS_MAX_CONECTIONS', 'POGO_WS_MAX_CONNECTIONS'],
    ['POGO_WS_PING_PERIODS', 'POGO_WS_PING_PERIOD'],
    ['POGO_WS_ALLOWED_ORIGIN', 'POGO_WS_ALLOWED_ORIGINS'],
    ['POGO_WS_APP_SECRT', 'POGO_WS_APP_SECRET'],
  ])('%s is an error that asks for %s', (name, meant) => {
    expect(problemsOf({ ...APP, [name]: 'x' })).toEqual([`${name}: there is no such setting; did you mean ${meant}?`]);
  });

  it('is an error without a guess when nothing is near', () => {
    expect(problemsOf({ ...APP, POGO_WS_ENTIRELY_DIFFERENT: '1' })).toEqual([
      'POGO_WS_ENTIRELY_DIFFERENT: there is no such setting',
    ]);
  });

  it.each(['POGO_WS_CONSTRUCTOR', 'POGO_WS___PROTO__', 'POGO_WS_'])('%s is one, too', (name) => {
    expect(problemsOf({ ...APP, [name]: 'x' })).toHaveLength(1);
  });

  it.each([
    ['POGO_WS_AUTH_SCRIPT', 'auth_endpoint, .*AuthProvider'],
    ['POGO_WS_FANOUT_WORKERS', 'remove it'],
    ['POGO_WS_FANOUT_QUEUE_SIZE', 'remove it'],
    ['POGO_WS_TLS_KEY_FILE', 'POGO_WS_TLS_KEY'],
    ['POGO_WS_SSL_CERTIFICATE', 'POGO_WS_TLS_CERT'],
    ['POGO_WS_SSL_CERTIFICATE_KEY', 'POGO_WS_TLS_KEY'],
  ])('of the Go module or of other servers, %s, gets a pointed sentence', (name, advice) => {
    const problems = problemsOf({ ...APP, [name]: '1' });
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^${name}: .*${advice}`))]);
    expect(problems.join()).not.toContain('did you mean');
  });
});

describe('What does not go together', () => {
  it.each<[Environment, RegExp]>([
    [{ POGO_WS_APP_KEY: 'k' }, /^POGO_WS_APP_KEY needs POGO_WS_APP_SECRET/],
    [{ REVERB_APP_KEY: 'k' }, /^REVERB_APP_KEY needs POGO_WS_APP_SECRET/],
    [{ POGO_WS_APP_SECRET: 's3cret' }, /^POGO_WS_APP_SECRET needs POGO_WS_APP_KEY/],
    [{ POGO_WS_APP_ID: '1' }, /^POGO_WS_APP_ID needs POGO_WS_APP_KEY and POGO_WS_APP_SECRET/],
  ])('is half an app: %j', (environment, problem) => {
    expect(problemsOf(environment)).toEqual([expect.stringMatching(problem)]);
    expect(problemsOf(environment).join()).not.toContain('s3cret');
  });

  it.each(['60s', '60000ms', '1m', '61s', '2h'])('is a ping period of %s with a pong wait of 60s', (period) => {
    expect(problemsOf({ ...APP, POGO_WS_PING_PERIOD: period })).toEqual([
      'POGO_WS_PING_PERIOD must be shorter than POGO_WS_PONG_WAIT (60000ms)',
    ]);
  });

  it('is a pong wait as short as the default ping period', () => {
    expect(problemsOf({ ...APP, POGO_WS_PONG_WAIT: '54s' })).toHaveLength(1);
    expect(problemsOf({ ...APP, POGO_WS_PONG_WAIT: '54001ms' })).toEqual([]);
  });

  it.each(['a b', 'a/b', 'ä', 'x'.repeat(65), 'a:b'])('is an app with the id %j', (id) => {
    expect(problemsOf({ ...APP, POGO_WS_APP_ID: id })).toEqual([expect.stringMatching(/^POGO_WS_APP_ID = "/)]);
  });

  it('is every origin that is none, each named', () => {
    const problems = problemsOf({ ...APP, POGO_WS_ALLOWED_ORIGINS: 'https://ok.example, ftp://x , a b,*.ok.example' });
    expect(problems).toEqual([expect.stringContaining('"ftp://x"'), expect.stringContaining('"a b"')]);
  });
});

describe('Without an app', () => {
  it.each<Environment>([{}, { NODE_ENV: 'development' }, { NODE_ENV: 'test' }, { POGO_WS_HOST: 'localhost' }])(
    'a developer is served: %j',
    (environment) => {
      expect(loadConfig(environment).isDevelopmentApp).toBe(true);
    },
  );

  it('production is refused, and what to set is named', () => {
    expect(problemsOf({ NODE_ENV: 'production' })).toEqual([
      'no app is configured: set POGO_WS_APP_ID, POGO_WS_APP_KEY and POGO_WS_APP_SECRET',
    ]);
    expect(problemsOf({ NODE_ENV: 'production', POGO_WS_HOST: '127.0.0.1' })).toHaveLength(1);
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', 'example.com'])('the public host %s is refused', (host) => {
    expect(problemsOf({ POGO_WS_HOST: host })).toEqual([expect.stringContaining(`not ${host}: set POGO_WS_APP_ID`)]);
    expect(problemsOf({ REVERB_SERVER_HOST: host })).toHaveLength(1);
  });

  it('in the environment, one of the embedding application is enough', () => {
    const extras = { apps: [completeApp({ id: '9', key: 'k9', secret: 's9' })] };
    expect(problemsOf({ NODE_ENV: 'production', POGO_WS_HOST: '0.0.0.0' }, extras)).toEqual([]);
  });
});
