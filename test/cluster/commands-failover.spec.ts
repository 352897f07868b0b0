import { PublishStatus } from '@pogo/publisher';
import { describe, expect, it, type TestContext } from 'vitest';
import { Cluster, type RedisServers } from '../support/cluster.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { caughtUp, PATIENTLY } from '../support/observer.js';
import { COMMAND_SECRET, TestPublisher } from '../support/publisher.js';
import type { RedisServer } from '../support/redis.js';
import { RedisClusterServers } from '../support/redis-cluster.js';
import { RedisSentinelServers } from '../support/redis-sentinel.js';
import type { PublisherRedisOptions } from '@pogo/publisher';

const TIMEOUT_MS = START_TIMEOUT_MS + 60_000;
const LONG = { ...PATIENTLY, timeout: 20_000 };

interface Scene {
  readonly servers: RedisServers & { readonly inspected: readonly RedisServer[] };
  readonly redis: PublisherRedisOptions;
}

async function redisCluster(): Promise<Scene> {
  const cluster = await RedisClusterServers.start();
  const clusterNodes = cluster.servers.map(({ port }) => ({ host: '127.0.0.1', port }));
  const servers = { settings: cluster.settings, stop: () => cluster.stop(), inspected: cluster.servers };
  return { servers, redis: { clusterNodes } };
}

async function sentinels(): Promise<Scene> {
  const all = await RedisSentinelServers.start();
  const servers = { settings: all.settings, stop: () => all.stop(), inspected: all.servers };
  return { servers, redis: { sentinels: all.places, sentinelName: all.name } };
}

/** Who has the connections of the publisher. */
async function serverOfPublisher(servers: readonly RedisServer[]): Promise<RedisServer | undefined> {
  for (const server of servers) {
    if (String(await server.inspector.client('LIST')).includes('name=pogo-publisher')) return server;
  }
  return undefined;
}

describe.each([
  ['a Redis Cluster', redisCluster],
  ['Sentinels', sentinels],
])('commands over %s', (_, startRedis) => {
  it('go on when the server is gone that the publisher is connected to', { timeout: TIMEOUT_MS }, async (context) => {
    const { servers, redis } = await startRedis();
    const { cluster, publisher } = await start(servers, redis, context);
    const clients = [await cluster.node(0).connect(), await cluster.node(1).connect()];
    for (const client of clients) await client.subscribe('orders');
    const { pogo } = publisher;
    expect(await pogo.publish('1', 'orders', 'before', '1')).toBe(PublishStatus.ok);

    const server = await serverOfPublisher(servers.inspected);
    expect(server).toBeDefined();
    await server?.kill();
    const statuses = new Set<PublishStatus>();
    let taken = 0;
    for (let n = 0; taken < 3; n++) {
      const status = await pogo.publish('1', 'orders', `event-${n}`, '1');
      statuses.add(status);
      if (status === PublishStatus.ok) taken++;
      // One may hear before the other that Redis is back.
      else
        await expect
          .poll(
            () =>
              cluster
                .node(0)
                .readiness()
                .then((ready) => ready.status),
            LONG,
          )
          .toBe(200);
    }
    expect(
      [...statuses].filter((status) => status !== PublishStatus.ok && status !== PublishStatus.broker_failed),
    ).toEqual([]);
    for (const index of [0, 1]) {
      await expect
        .poll(
          () =>
            cluster
              .node(index)
              .readiness()
              .then((ready) => ready.status),
          LONG,
        )
        .toBe(200);
    }
    expect(await pogo.publish('1', 'orders', 'after', '1')).toBe(PublishStatus.ok);
    await caughtUp(cluster.node(0).http, 'orders', clients);
    for (const client of clients) {
      expect(client.count('after')).toBe(1);
      const names = client.received.map(({ event }) => event).filter((event) => event.startsWith('event-'));
      expect(new Set(names).size).toBe(names.length);
    }
  });
});

async function start(servers: RedisServers, redis: PublisherRedisOptions, { onTestFinished }: TestContext) {
  const cluster = await Cluster.start({ nodes: 2, servers, settings: { command_secret: COMMAND_SECRET } });
  onTestFinished(() => cluster.stop());
  const publisher = await TestPublisher.start({ secret: COMMAND_SECRET, redis, timeoutMs: 2_000 });
  onTestFinished(() => publisher.stop());
  return { cluster, publisher };
}
