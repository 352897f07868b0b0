/** Where a server listens. */
export interface RedisPlace {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is and how this cluster uses it. Durations in ms. Every node of a cluster must have the same `prefix` and `db`. */
export class RedisOptions {
  readonly host: string = '127.0.0.1';
  readonly port: number = 6379;
  readonly username: string | undefined = undefined;
  readonly password: string | undefined = undefined;
  readonly db: number = 0;
  /** Some servers of a Redis Cluster, which know the others. It takes the place of `host` and `port`, and has database 0 only. */
  readonly clusterNodes: readonly RedisPlace[] = [];
  /** Sentinels, which know where the primary is. They take the place of `host` and `port`. */
  readonly sentinels: readonly RedisPlace[] = [];
  /** What the Sentinels call the primary. */
  readonly sentinelName: string = 'mymaster';
  /** Of the Sentinels themselves; `password` is that of Redis. */
  readonly sentinelPassword: string | undefined = undefined;
  /** TLS to Redis, verified against the system's authorities (and those of NODE_EXTRA_CA_CERTS). */
  readonly tls: boolean = false;
  /** Begins every key and topic. Two clusters with different ones never see each other. No `{`, `}`. */
  readonly prefix: string = 'pogo';
  /** How often a node says that it lives. */
  readonly heartbeatMs: number = 3_000;
  /** Silence after which a node counts as dead. */
  readonly leaseMs: number = 10_000;
  /**
   * How long transitions are held back after Redis came back empty, until all nodes have told what they hold. Shorter
   * than a lease, because all is to be right again within ten seconds.
   */
  readonly holdMs: number = 8_000;
  /** How long a publish waits for a connection that has just been lost; after that it fails at once. */
  readonly publishWaitMs: number = 400;
  /** Silence after which a publish's answer is given up. Together with the wait less than a second. */
  readonly publishTimeoutMs: number = 550;
  /** The same for the connections that nobody waits for impatiently. */
  readonly commandTimeoutMs: number = 4_000;

  constructor(overrides: Partial<RedisOptions> = {}) {
    Object.assign(this, overrides);
    if (this.clusterNodes.length > 0 && this.sentinels.length > 0)
      throw new TypeError('redis is behind sentinels or a cluster, not both');
    if (this.clusterNodes.length > 0 && this.db !== 0) throw new TypeError('a redis cluster has database 0 only');
    if (!REDIS_PREFIX.test(this.prefix)) throw new TypeError(`redis prefix must match ${REDIS_PREFIX.source}`);
  }
}

/** Braces would end the hash tag that keeps a bucket's keys together, and a colon would let two prefixes meet. */
export const REDIS_PREFIX = /^[A-Za-z0-9_.-]{1,64}$/;
