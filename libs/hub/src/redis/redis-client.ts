import { isIP } from 'node:net';
import { Cluster, Redis } from 'ioredis';
import { LastingRedis, type ClientOptions } from './redis-lasting-client.js';
import type { RedisOptions, RedisPlace } from './redis-options.js';

const LONGEST_PAUSE_MS = 1_000;

/**
 * A connection that never does behind our back what may be done once only: nothing waits in it, nothing is sent again,
 * and what was not answered when it broke is an error. It connects again for ever.
 * @param silenceMs without an answer, after which it is given up.
 * @param place a server of a cluster; by default where the options say, or the Sentinels.
 */
export function createRedisClient(options: RedisOptions, name: string, silenceMs: number, place?: RedisPlace): Redis {
  return new LastingRedis({
    ...(place === undefined ? whereabouts(options) : at(place, options)),
    ...common(options, name),
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // 0: unanswered commands fail when the connection does.
    maxRetriesPerRequest: 0,
    maxLoadingRetryTime: 500,
    socketTimeout: silenceMs,
    retryStrategy: pauseBefore,
  });
}

/** Whoever asks any server of a cluster has others to ask. */
const SHORT_SILENCE_MS = 1_000;

/** A connection to one server of a cluster that is not made again: whoever uses it takes another then. */
export function createOnceRedisClient(options: RedisOptions, name: string, place: RedisPlace): Redis {
  return new Redis({
    ...at(place, options),
    ...common(options, name),
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: SHORT_SILENCE_MS,
    socketTimeout: SHORT_SILENCE_MS,
    retryStrategy: () => null,
  });
}

/** A connection for a library that asks again by itself: while Redis is away, commands wait, and connecting never ends. */
export function createWaitingRedisClient(options: RedisOptions, name: string): Redis | Cluster {
  const waiting = { ...common(options, name), maxRetriesPerRequest: null };
  if (options.clusterNodes.length === 0)
    return new LastingRedis({ ...whereabouts(options), ...waiting, retryStrategy: pauseBefore });
  return new Cluster([...options.clusterNodes], {
    clusterRetryStrategy: pauseBefore,
    // TLS checks the names that the servers give.
    dnsLookup: (address, callback) => callback(null, address),
    redisOptions: { ...access(options), ...waiting },
  });
}

function common({ commandTimeoutMs }: RedisOptions, name: string): ClientOptions {
  // Connecting, with TLS, takes more round trips than a command.
  return { connectionName: `pogo-${name}`, connectTimeout: commandTimeoutMs };
}

function whereabouts(options: RedisOptions): ClientOptions {
  const { sentinels, sentinelName, sentinelPassword, host, port, db, tls } = options;
  if (sentinels.length === 0) return { ...at({ host, port }, options), db };
  return {
    ...access(options),
    db,
    sentinels: [...sentinels],
    name: sentinelName,
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
    sentinelRetryStrategy: pauseBefore,
    sentinelCommandTimeout: options.commandTimeoutMs,
    // A primary that the Sentinels have given up may still answer us.
    failoverDetector: true,
  };
}

function at(place: RedisPlace, options: RedisOptions): ClientOptions {
  const { tls, ...rest } = access(options);
  // A name for SNI; an address is none.
  return {
    ...place,
    ...rest,
    ...(tls === undefined ? {} : { tls: isIP(place.host) === 0 ? { servername: place.host } : {} }),
  };
}

function access({ username, password, tls }: RedisOptions): ClientOptions {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  };
}

function pauseBefore(attempt: number): number {
  return Math.min(LONGEST_PAUSE_MS, 25 * 2 ** attempt) * (0.75 + Math.random() / 4);
}
