import type { Redis } from 'ioredis';
import type { RedisOptions } from '@pogo/hub';
import type { RedisServers } from '../support/cluster.js';
import { RedisServer } from '../support/redis.js';
import { RedisClusterServers } from '../support/redis-cluster.js';
import { RedisSentinelServers } from '../support/redis-sentinel.js';

export const REDIS_KINDS = ['single', 'cluster', 'sentinel'] as const;
export type RedisKind = (typeof REDIS_KINDS)[number];

/** What looks into a Redis; `keys` are those of all servers. */
export type RedisInspector = Pick<Redis, 'keys' | 'zrange' | 'hkeys' | 'hgetall' | 'smembers'>;

/** The servers between the nodes, one of which is in trouble at a time. */
export class SimulatedRedis {
  private constructor(
    private readonly all: readonly RedisServer[],
    readonly inspector: RedisInspector,
    /** For a node of the simulator's own. */
    readonly options: Partial<RedisOptions>,
    readonly servers: RedisServers,
  ) {}

  static async start(kind: RedisKind): Promise<SimulatedRedis> {
    if (kind === 'cluster') {
      const cluster = await RedisClusterServers.start();
      const clusterNodes = cluster.servers.map(({ port }) => ({ host: '127.0.0.1', port }));
      return new SimulatedRedis(cluster.servers, inspectorOf(cluster), { clusterNodes }, cluster);
    }
    if (kind === 'sentinel') {
      const sentinels = await RedisSentinelServers.start();
      const options = { sentinels: sentinels.places, sentinelName: sentinels.name };
      return new SimulatedRedis(sentinels.servers, sentinels.inspector, options, sentinels);
    }
    const server = await RedisServer.start();
    const servers = { settings: { redis_url: server.url }, stop: () => server.stop() };
    return new SimulatedRedis([server], server.inspector, { port: server.port }, servers);
  }

  get count(): number {
    return this.all.length;
  }

  server(index: number): RedisServer {
    return this.all[index] as RedisServer;
  }

  /** Ends the connections of all nodes to one server; if that is frozen, as soon as it is not. */
  cut(index: number): void {
    const { inspector, isRunning } = this.server(index);
    if (!isRunning) return;
    for (const type of ['normal', 'pubsub']) {
      inspector.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes').catch(() => undefined);
    }
  }
}

/** Asks whoever has the slot by now: a client's own map of the slots may be an old one. */
function inspectorOf(cluster: RedisClusterServers): RedisInspector {
  let owners = new Map<string, RedisServer>();
  const at = async (key: string): Promise<Redis> => (owners.get(key) ?? (await cluster.masterOf(key))).inspector;
  const inspector = {
    keys: async (pattern: string) => {
      const masters = await cluster.masters();
      const all = await Promise.all(
        masters.map(async (master) => (await master.inspector.keys(pattern)).map((key) => [key, master] as const)),
      );
      owners = new Map(all.flat());
      return [...owners.keys()];
    },
    zrange: async (key: string, from: string, to: string) => (await at(key)).zrange(key, from, to),
    hkeys: async (key: string) => (await at(key)).hkeys(key),
    hgetall: async (key: string) => (await at(key)).hgetall(key),
    smembers: async (key: string) => (await at(key)).smembers(key),
  };
  return inspector;
}
