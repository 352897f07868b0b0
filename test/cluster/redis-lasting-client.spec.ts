import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { PATIENTLY } from '../support/observer.js';
import { RedisServer } from '../support/redis.js';
import { RedisSentinelServers } from '../support/redis-sentinel.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { LastingRedis } from '../../libs/hub/src/redis/redis-lasting-client.js';

const happens = (client: Redis, event: string): Promise<void> => new Promise((resolve) => client.once(event, resolve));

it('goes on when a failover is announced while it asks a Sentinel', { timeout: 180_000 }, async () => {
  const servers = await RedisSentinelServers.start();
  onTestFinished(() => servers.stop());
  const proxy = await TcpProxy.start(servers.places[0]?.port as number);
  onTestFinished(() => proxy.stop());
  const former = await servers.primary();
  const client = new LastingRedis({
    // Asked in this order, and both listened to.
    sentinels: [{ host: '127.0.0.1', port: proxy.port }, servers.places[1] as { host: string; port: number }],
    updateSentinels: false,
    name: servers.name,
    failoverDetector: true,
    sentinelRetryStrategy: () => 50,
    retryStrategy: () => 50,
    maxRetriesPerRequest: null,
  });
  onTestFinished(() => client.disconnect());
  client.on('error', () => undefined);
  const ends: string[] = [];
  client.on('end', () => ends.push('end'));
  await happens(client, 'failoverSubscribed');

  proxy.freeze();
  await former.inspector.call('CLIENT', 'KILL', 'TYPE', 'normal');
  await happens(client, 'connecting');
  const sentinel = new Redis(servers.places[2] as { host: string; port: number });
  onTestFinished(() => sentinel.disconnect());
  await sentinel.call('SENTINEL', 'FAILOVER', servers.name);
  await servers.replaced(former);
  proxy.thaw();

  await expect.poll(() => client.set('key', 'value').catch(() => undefined), PATIENTLY).toBe('OK');
  expect(ends).toEqual(['end']);
});

it.each(['quit', 'disconnect'] as const)('ends when it is told to, by %s', async (leave) => {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  const client = new LastingRedis({ host: '127.0.0.1', port: server.port });
  await client.ping();
  const ended = happens(client, 'end');
  await client[leave]();
  await ended;
  expect(client.status).toBe('end');
  expect(await server.inspector.call('CLIENT', 'LIST', 'TYPE', 'normal')).not.toMatch(/\n./);
});

/** Nothing is heard in this process for so long. */
function standStill(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('An answer', () => {
  const SILENCE_MS = 500;
  let server: RedisServer;
  let client: LastingRedis;
  beforeEach(async () => {
    server = await RedisServer.start();
    client = new LastingRedis({
      host: '127.0.0.1',
      port: server.port,
      socketTimeout: SILENCE_MS,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
    });
    client.on('error', () => undefined);
    await client.ping();
  });
  afterEach(async () => {
    client.disconnect();
    await server.stop();
  });

  it('that came while the process stood still is one', async () => {
    const answer = client.ping();
    standStill(2 * SILENCE_MS);
    expect(await answer).toBe('PONG');
  });

  it('that comes soon after the whole machine has stood still is one', async () => {
    server.freeze();
    const answer = client.ping();
    standStill(2 * SILENCE_MS);
    server.thaw();
    expect(await answer).toBe('PONG');
  });

  it('that does not come is not waited for, and the next is from a new connection', async () => {
    server.freeze();
    await expect(client.ping()).rejects.toThrow();
    server.thaw();
    await expect.poll(() => client.ping().catch(() => undefined)).toBe('PONG');
  });
});
