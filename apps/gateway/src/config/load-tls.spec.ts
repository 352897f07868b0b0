import { relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testPair } from '../../../../test/support/tls/certificates.js';
import { ConfigError, loadConfig, type Environment } from './load-config.js';

const APP = { POGO_WS_APP_KEY: 'key', POGO_WS_APP_SECRET: 'secret' };

/** What is wrong with an environment; empty when nothing is. */
function problemsOf(environment: Environment): readonly string[] {
  try {
    loadConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

describe('A certificate', () => {
  const { certPath, keyPath, key } = testPair('first');
  const other = testPair('second').keyPath;

  it('and its key are taken with the names in it, as absolute paths', () => {
    const { tls } = loadConfig({ ...APP, POGO_WS_TLS_CERT: relative('.', certPath), POGO_WS_TLS_KEY: keyPath });
    expect(tls).toEqual({ certPath, keyPath, names: expect.arrayContaining(['localhost', '127.0.0.1']) as string[] });
    expect(loadConfig(APP).tls).toBeUndefined();
  });

  it.each<[string, string, Environment]>([
    ['POGO_WS_TLS_CERT', 'POGO_WS_TLS_KEY', { POGO_WS_TLS_CERT: certPath }],
    ['POGO_WS_TLS_KEY', 'POGO_WS_TLS_CERT', { POGO_WS_TLS_KEY: keyPath, POGO_WS_TLS_CERT: '' }],
  ])('without its other half is a mistake: %s needs %s', (present, missing, environment) => {
    expect(problemsOf({ ...APP, ...environment })).toEqual([`${present} needs ${missing} as well`]);
  });

  it('that cannot be used is named with variable and file, beside all other mistakes', () => {
    const environment = { POGO_WS_TLS_CERT: '/no/cert.pem', POGO_WS_TLS_KEY: certPath, POGO_WS_PORT: 'x' };
    expect(problemsOf({ ...APP, ...environment })).toEqual([
      expect.stringMatching(/^POGO_WS_PORT/),
      'POGO_WS_TLS_CERT = "/no/cert.pem": there is no such file',
      expect.stringMatching(
        /^POGO_WS_TLS_KEY = "\/.*cert\.pem": the file holds CERTIFICATE; it must hold -----BEGIN PR/,
      ),
    ]);
    expect(problemsOf({ ...APP, POGO_WS_TLS_CERT: certPath, POGO_WS_TLS_KEY: other })).toEqual([
      expect.stringMatching(
        /^POGO_WS_TLS_KEY = "\/.*second.*": the key does not belong to the certificate in \/.*first/,
      ),
    ]);
  });

  it('of which only one half is given is looked at all the same', () => {
    expect(problemsOf({ ...APP, POGO_WS_TLS_KEY: '/no/key.pem' })).toEqual([
      expect.stringContaining('/no/key.pem'),
      'POGO_WS_TLS_KEY needs POGO_WS_TLS_CERT as well',
    ]);
  });

  it.each(['POGO_WS_TLS_KEY', 'POGO_WS_TLS_CERT', 'POGO_WS_PORT', 'POGO_WS_PATH_PREFIX'])(
    'or key written into %s is not shown',
    (name) => {
      for (const value of [key, key.replaceAll('\n', '\\n'), key.split('\n').slice(1, -2).join('')]) {
        const problems = problemsOf({ ...APP, [name]: value });
        expect(problems[0]).toMatch(new RegExp(`^${name} = <redacted>: must be`));
        expect(problems.join()).not.toContain(key.split('\n')[1]);
      }
    },
  );
});
