import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from './load-config.js';
import { parseRedisHost, parseRedisUrl } from './redis-settings.js';

const APP = { POGO_WS_APP_ID: '1', POGO_WS_APP_KEY: 'k', POGO_WS_APP_SECRET: 's' };
const redisOf = (settings: Record<string, string>) => loadConfig({ ...APP, ...settings }).redis;

function problemsOf(settings: Record<string, string>): readonly string[] {
  try {
    loadConfig({ ...APP, ...settings });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('parseRedisUrl', () => {
  it.each([
    ['redis://localhost', { host: 'localhost', port: 6379, tls: false }],
    ['redis://10.0.0.1:7000/', { host: '10.0.0.1', port: 7000, tls: false }],
    ['rediss://[::1]:1/3', { host: '::1', port: 1, tls: true, db: 3 }],
    ['redis://:p%40ss@r', { host: 'r', port: 6379, tls: false, password: 'p@ss' }],
    ['redis://me:p@r:1', { host: 'r', port: 1, tls: false, username: 'me', password: 'p' }],
  ])('understands %s', (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address);
  });

  it.each([
    '',
    'localhost:6379',
    'http://r',
    'redis://',
    'redis://r/x',
    'redis://r/0/1',
    'redis://r?db=1',
    'redis://r#1',
  ])('refuses %j', (url) => expect(parseRedisUrl(url)).toBeUndefined());
});

describe('parseRedisHost', () => {
  it.each([
    ['redis', { host: 'redis', port: 6379 }],
    ['redis.example:7000', { host: 'redis.example', port: 7000 }],
    ['[::1]:7000', { host: '::1', port: 7000 }],
  ])('understands %s', (text, address) => {
    expect(parseRedisHost(text)).toEqual(address);
  });

  it.each(['', 'a b', 'redis://r', 'r:0', 'r:70000', 'r:x', '::1', 'me@r'])('refuses %j', (text) =>
    expect(parseRedisHost(text)).toBeUndefined(),
  );
});

describe('the Redis of a configuration', () => {
  it('is none unless one is named', () => {
    expect(redisOf({})).toBeUndefined();
  });

  it('is what a URL says, completed by what it leaves out', () => {
    const settings = { POGO_WS_REDIS_URL: 'rediss://r:1', POGO_WS_REDIS_PASSWORD: 'p', POGO_WS_REDIS_PREFIX: 'mine' };
    expect(redisOf({ ...settings, POGO_WS_REDIS_DB: '2' })).toMatchObject({
      host: 'r',
      port: 1,
      tls: true,
      password: 'p',
      db: 2,
      prefix: 'mine',
    });
  });

  it('is what the parts say', () => {
    expect(redisOf({ POGO_WS_REDIS_HOST: 'r:1', POGO_WS_REDIS_TLS: 'on' })).toMatchObject({
      host: 'r',
      port: 1,
      tls: true,
      password: undefined,
      db: 0,
      prefix: 'pogo',
    });
  });

  it('is a Redis Cluster, of which some servers are named', () => {
    expect(redisOf({ POGO_WS_REDIS_CLUSTER_NODES: 'a, b:7000,[::1]:1', POGO_WS_REDIS_USERNAME: 'me' })).toMatchObject({
      clusterNodes: [
        { host: 'a', port: 6379 },
        { host: 'b', port: 7000 },
        { host: '::1', port: 1 },
      ],
      username: 'me',
      sentinels: [],
    });
    for (const nodes of [' , ', 'a,redis://b', 'a:0']) {
      expect(problemsOf({ POGO_WS_REDIS_CLUSTER_NODES: nodes })).toEqual([
        expect.stringContaining('must be one or more of host or host:port'),
      ]);
    }
    expect(problemsOf({ POGO_WS_REDIS_CLUSTER_NODES: 'a', POGO_WS_REDIS_DB: '1' })).toEqual([
      'POGO_WS_REDIS_DB must be 0 with POGO_WS_REDIS_CLUSTER_NODES: a Redis Cluster has no other',
    ]);
  });

  it('is what Sentinels name', () => {
    const sentinels = { POGO_WS_REDIS_SENTINELS: 's1,s2:1', POGO_WS_REDIS_SENTINEL_NAME: 'redis-a' };
    const passwords = { POGO_WS_REDIS_PASSWORD: 'p', POGO_WS_REDIS_SENTINEL_PASSWORD: 'q' };
    expect(redisOf({ ...sentinels, ...passwords, POGO_WS_REDIS_DB: '3' })).toMatchObject({
      sentinels: [
        { host: 's1', port: 26379 },
        { host: 's2', port: 1 },
      ],
      sentinelName: 'redis-a',
      password: 'p',
      sentinelPassword: 'q',
      db: 3,
      clusterNodes: [],
    });
    expect(redisOf({ POGO_WS_REDIS_SENTINELS: 's' })).toMatchObject({ sentinelName: 'mymaster' });
    expect(problemsOf({ ...sentinels, POGO_WS_REDIS_CLUSTER_NODES: 'a' })).toEqual([
      'POGO_WS_REDIS_CLUSTER_NODES and POGO_WS_REDIS_SENTINELS both say where Redis is: set one',
    ]);
    expect(problemsOf({ POGO_WS_REDIS_HOST: 'a', POGO_WS_REDIS_SENTINEL_NAME: 'x' })).toEqual([
      'POGO_WS_REDIS_SENTINEL_NAME needs POGO_WS_REDIS_SENTINELS',
    ]);
  });

  it('is not named twice, nor in parts that belong to nothing', () => {
    const url = { POGO_WS_REDIS_URL: 'redis://:p@r/1' };
    expect(problemsOf({ ...url, POGO_WS_REDIS_HOST: 'r' })).toEqual([
      'POGO_WS_REDIS_URL and POGO_WS_REDIS_HOST both say where Redis is: set one',
    ]);
    expect(problemsOf({ POGO_WS_REDIS_PASSWORD: 'p' })).toEqual([
      'POGO_WS_REDIS_PASSWORD needs POGO_WS_REDIS_URL, POGO_WS_REDIS_HOST, POGO_WS_REDIS_CLUSTER_NODES or POGO_WS_REDIS_SENTINELS',
    ]);
    expect(
      problemsOf({ ...url, POGO_WS_REDIS_PASSWORD: 'q', POGO_WS_REDIS_DB: '1', POGO_WS_REDIS_TLS: '1' }),
    ).toHaveLength(3);
  });

  it.each([
    ['redis://user:hunter2@r', '"redis://<redacted>@r"'],
    ['rediss://:hunter2/a"b@c@r:1', '"rediss://<redacted>@r:1"'],
    ['user:hunter2@r:6379', '"<redacted>@r:6379"'],
    [':hunter2@r', '"<redacted>@r"'],
  ])('shows no password of a URL that was given as a host: %s', (host, shown) => {
    expect(problemsOf({ POGO_WS_REDIS_HOST: host })).toEqual([
      `POGO_WS_REDIS_HOST = ${shown}: must be host or host:port`,
    ]);
    expect(problemsOf({ POGO_WS_REDIS_SENTINELS: `s,${host}` }).join()).not.toContain('hunter2');
  });

  it('shows no password when it is wrong', () => {
    const [problem, ...others] = problemsOf({ POGO_WS_REDIS_URL: 'redis//:hunter2@r' });
    expect(others).toEqual([]);
    expect(problem).toContain('POGO_WS_REDIS_URL = <redacted>: must be redis://');
    expect(problemsOf({ POGO_WS_REDIS_HOST: 'r', POGO_WS_REDIS_PREFIX: '{x}' })).toEqual([
      'POGO_WS_REDIS_PREFIX = "{x}": must be 1 to 64 letters, digits, -, _ or .',
    ]);
  });
});
