import { describe, it, type TestContext } from 'vitest';
import { bucketOf } from '@pogo/hub/testing';
import { Cluster, type RedisServers } from '../support/cluster.js';
import { Crowd } from '../support/crowd.js';
import { APP } from '../support/gateway.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { becomes } from '../support/roster-watch.js';
import type { RedisServer } from '../support/redis.js';
import { RedisClusterServers } from '../support/redis-cluster.js';
import { RedisSentinelServers } from '../support/redis-sentinel.js';

const ROOM = 'presence-room';
const TIMEOUT_MS = START_TIMEOUT_MS + 90_000;

interface Failover extends RedisServers {
  /** Who has what is about the channel, or about the nodes. */
  ownerOf(what: 'channel' | 'nodes'): Promise<RedisServer>;
  /** Resolves when another server has taken the place of one. */
  replaced(former: RedisServer): Promise<unknown>;
}

async function redisCluster(): Promise<Failover> {
  const servers = await RedisClusterServers.start();
  const keys = { channel: `{pogo:${APP.id}:${bucketOf(ROOM)}}`, nodes: '{pogo}' };
  return {
    settings: servers.settings,
    stop: () => servers.stop(),
    ownerOf: (what) => servers.masterOf(keys[what]),
    replaced: (former) => servers.replaced(former),
  };
}

async function sentinels(): Promise<Failover> {
  const servers = await RedisSentinelServers.start();
  return {
    settings: servers.settings,
    stop: () => servers.stop(),
    ownerOf: () => servers.primary(),
    replaced: (former) => servers.replaced(former),
  };
}

/** A channel in the bucket of the other. */
const LOAD = Array.from({ length: 1_000 }, (_, n) => `load-${n}`).find(
  (name) => bucketOf(name) === bucketOf(ROOM),
) as string;

describe.each([
  ['a master of a Redis Cluster, which has the channels', redisCluster, 'channel', 'kill'],
  ['a master of a Redis Cluster, which has the leases', redisCluster, 'nodes', 'kill'],
  ['a master of a Redis Cluster, which freezes', redisCluster, 'channel', 'freeze'],
  ['the primary behind Sentinels', sentinels, 'channel', 'kill'],
  ['the primary behind Sentinels, which freezes', sentinels, 'channel', 'freeze'],
] as const)('%s', (_, startRedis, what, fault) => {
  it(
    'is replaced under load: nobody notices but publishers, and in 10 s all is right',
    { timeout: TIMEOUT_MS },
    (context) => failsOver(startRedis, what, fault, context),
  );
});

async function failsOver(
  startRedis: () => Promise<Failover>,
  what: 'channel' | 'nodes',
  fault: 'kill' | 'freeze',
  context: TestContext,
): Promise<void> {
  const servers = await startRedis();
  const cluster = await Cluster.start({ servers });
  context.onTestFinished(() => cluster.stop());
  const nodes = [0, 1, 2].map((index) => cluster.node(index));
  const crowd = await Crowd.gather(nodes, { room: ROOM, load: LOAD }, 15, context);
  const { publishers } = crowd;

  const former = await servers.ownerOf(what);
  await former[fault]();
  await crowd.comeAndGo();
  if (what === 'channel')
    for (const publisher of publishers) await becomes(20, true, () => publisher.numberOf(500) > 0);
  await servers.replaced(former);
  await crowd.isRight(10);

  if (fault === 'freeze') {
    // It wakes up as what it was, and is told that it is not any more.
    former.thaw();
    await becomes(20, true, async () => (await former.inspector.info('replication')).includes('role:slave'));
  }
  // A master of a cluster that is frozen between telling us and telling its replica does that when it wakes up, and the
  // replica, which has its place by then, tells us: of what was under way at that moment, and nothing else.
  await crowd.noticedNothingElse((id) => fault === 'freeze' && publishers.some(({ brink }) => brink.includes(id)));
}
