/** DI token of the {@link PogoPublisherOptions}. */
export const POGO_PUBLISHER_OPTIONS = Symbol('POGO_PUBLISHER_OPTIONS');

interface CommonOptions {
  /** The gateway's `command_secret`. */
  readonly secret: string;
  /** How long an answer is waited for, connecting included; after that a publish is `broker_failed`. Default 5,000. */
  readonly timeoutMs?: number;
  /** Commands that may wait for their answers at a time; one more is `broker_queue_full`. Default 1,024. */
  readonly maxInFlight?: number;
}

/** Where the gateways listen: the Redis that they have in common, or the TCP port of one. */
export type PogoPublisherOptions = CommonOptions &
  (
    | { readonly redis: PublisherRedisOptions; readonly tcp?: undefined }
    | { readonly tcp: PublisherTcpOptions; readonly redis?: undefined }
  );

/** A server of Redis, or a Sentinel. */
export interface RedisPlace {
  readonly host: string;
  readonly port: number;
}

/** The gateways' `redis_*` settings. What is said beside a `url` counts more than what the URL says. */
export interface PublisherRedisOptions {
  /** `redis[s]://[user[:password]@]host[:port][/db]` */
  readonly url?: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 6379. */
  readonly port?: number;
  /** Servers of a Redis Cluster instead: the first is used, and the next when that is gone. */
  readonly clusterNodes?: readonly RedisPlace[];
  /** Sentinels instead, which know where the primary is. */
  readonly sentinels?: readonly RedisPlace[];
  /** What they call it. Default `mymaster`. */
  readonly sentinelName?: string;
  /** Of the Sentinels themselves. */
  readonly sentinelPassword?: string;
  readonly username?: string;
  readonly password?: string;
  /** Default 0, and in a Redis Cluster. */
  readonly db?: number;
  /** TLS, verified against the system's authorities (and those of NODE_EXTRA_CA_CERTS). */
  readonly tls?: boolean;
  /** The gateways' `redis_prefix`. Default `pogo`. */
  readonly prefix?: string;
}

/** A gateway's `command_port`, on the same machine. */
export interface PublisherTcpOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly port: number;
}

/** {@link PublisherRedisOptions} with everything decided. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  /** Without any it is `host` and `port`. */
  readonly clusterNodes: readonly RedisPlace[];
  readonly sentinels: readonly RedisPlace[];
  readonly sentinelName: string;
  readonly sentinelPassword: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  readonly tls: boolean;
  readonly prefix: string;
}

/**
 * @throws TypeError for a URL that is none, which is not quoted because it may have a password, and for options that
 * contradict each other.
 */
export function redisAddress({ url, ...options }: PublisherRedisOptions): RedisAddress {
  const { host, port, clusterNodes, sentinels } = options;
  const single = url !== undefined || host !== undefined || port !== undefined;
  if ([single, clusterNodes !== undefined, sentinels !== undefined].filter(Boolean).length > 1)
    throw new TypeError('Redis is at a url or host, or it is a cluster (clusterNodes), or behind sentinels: name one');
  if (clusterNodes?.length === 0 || sentinels?.length === 0)
    throw new TypeError('clusterNodes and sentinels name at least one server');
  if (clusterNodes !== undefined && (options.db ?? 0) !== 0) throw new TypeError('a Redis Cluster has database 0 only');
  return {
    host: '127.0.0.1',
    port: 6379,
    clusterNodes: [],
    sentinels: [],
    sentinelName: 'mymaster',
    sentinelPassword: undefined,
    username: undefined,
    password: undefined,
    db: 0,
    tls: false,
    prefix: 'pogo',
    ...(url === undefined ? {} : partsOf(url)),
    ...options,
  };
}

const PATH = /^\/?(\d*)$/;

function partsOf(text: string): Partial<RedisAddress> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const db = PATH.exec(url?.pathname ?? '')?.[1];
  if (url === undefined || db === undefined || !/^rediss?:$/.test(url.protocol) || url.hostname === '')
    throw new TypeError('the Redis URL must be redis[s]://[user[:password]@]host[:port][/db]');
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    tls: url.protocol === 'rediss:',
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(db === '' ? {} : { db: Number(db) }),
  };
}
