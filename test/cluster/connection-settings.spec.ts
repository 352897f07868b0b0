import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { buildOnce } from '../support/build.js';
import { START_TIMEOUT_MS, type GatewayProcess } from '../support/gateway-process.js';
import { expectOneCluster, startGateway as start } from '../support/one-cluster.js';
import { RedisServer, type RedisServerOptions } from '../support/redis.js';
import { testPair } from '../support/tls/certificates.js';

const PASSWORD = 'p@ss/w:rd?#%';

beforeAll(() => buildOnce(), START_TIMEOUT_MS);

async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const redis = await RedisServer.start(options);
  onTestFinished(() => redis.stop());
  return redis;
}

/** It serves, and says that it is not ready. */
async function expectToWait(node: GatewayProcess): Promise<void> {
  expect(await node.readiness()).toEqual({ status: 503, body: { status: 'broker_unavailable' } });
  const { port, hasTls } = node;
  expect((await fetch(`${hasTls ? 'https' : 'http'}://127.0.0.1:${port}/up`)).status).toBe(200);
  expect(await node.http.publish('news', 'posted', 'x')).toMatchObject({ status: 500, body: { status: 6 } });
  await node.connect();
}

describe('a Redis with a password', () => {
  it('connects nodes that know it, from the URL or by itself, and is in no log', async () => {
    const redis = await startRedis({ args: ['--requirepass', PASSWORD] });
    const parts = { redis_host: `127.0.0.1:${redis.port}`, redis_password: PASSWORD };
    const [a, b] = await Promise.all([start({ redis_url: redis.url }), start(parts)]);
    await expectOneCluster(a, b);
    for (const { output } of [a, b]) {
      expect(output).not.toContain(PASSWORD);
      expect(output).not.toContain(encodeURIComponent(PASSWORD));
    }
  });

  it.each([
    ['a wrong one', ':wrong-word@', /WRONGPASS/],
    ['none', '', /NOAUTH/],
  ])('lets nodes with %s wait for the right one, and say why, without it', async (_case, credentials, reason) => {
    const redis = await startRedis({ args: ['--requirepass', PASSWORD] });
    const redisUrl = `redis://${credentials}127.0.0.1:${redis.port}`;
    const node = await start({ redis_url: redisUrl }, { awaitReady: false });
    await node.printed(reason);
    await expectToWait(node);
    await redis.inspector.config('SET', 'requirepass', credentials === '' ? '' : 'wrong-word');
    await node.ready();
    expect(node.output).not.toContain('wrong-word');
  });

  it('lets in a user who may touch nothing but what begins with the prefix', async () => {
    const redis = await startRedis({ args: ['--requirepass', PASSWORD] });
    const rights =
      '~{mine* &{mine* -@all +@scripting +@read +@write +time +publish +subscribe +unsubscribe +@connection';
    await redis.inspector.call('ACL', 'SETUSER', 'gateway', 'on', `>${PASSWORD}`, ...rights.split(' '));
    const url = new URL(redis.url);
    url.username = 'gateway';
    const settings = { redis_url: url.href, redis_prefix: 'mine' };
    const [a, b] = await Promise.all([start(settings), start(settings)]);
    await expectOneCluster(a, b);
    await a.http.publish('cache-x', 'posted', 'x');
    expect((await b.http.get('/channels/cache-x', { info: 'cache' })).body).toMatchObject({ cache: { data: 'x' } });
  });
});

describe('a Redis with TLS', () => {
  const pair = testPair('first');

  it('connects nodes that trust its certificate', async () => {
    const redis = await startRedis({ tls: pair });
    const env = { NODE_EXTRA_CA_CERTS: pair.certPath };
    const parts = { redis_host: `localhost:${redis.port}`, redis_tls: 'on' };
    const [a, b] = await Promise.all([start({ redis_url: redis.url }, { env }), start(parts, { env })]);
    await expectOneCluster(a, b);
    for (const { output } of [a, b]) expect(output).not.toMatch(/warn/i);
  });

  it.each([
    ['do not trust its certificate', 'rediss://127.0.0.1', '', /self-signed certificate/],
    // Of this machine too, but the certificate is for 127.0.0.1.
    ['know it by another name than its certificate', 'rediss://127.0.0.2', pair.certPath, /does not match certificate/],
    ['do not speak TLS', 'redis://127.0.0.1', pair.certPath, /Redis: /],
  ])('lets nodes wait that %s, and say why', async (_case, url, trusted, reason) => {
    const redis = await startRedis({ tls: pair, args: ['--bind', '127.0.0.1', '127.0.0.2'] });
    const env = { NODE_EXTRA_CA_CERTS: trusted };
    const node = await start({ redis_url: `${url}:${redis.port}` }, { env, awaitReady: false });
    await node.printed(reason);
    await expectToWait(node);
    expect(await redis.inspector.dbsize()).toBe(0);
  });
});
