import { isIP } from 'node:net';
import { Redis, type RedisOptions as ClientOptions } from 'ioredis';
import type { RedisOptions } from './redis-options.js';

const LONGEST_PAUSE_MS = 1_000;

type ConnectionPlace = Pick<ClientOptions, 'host' | 'port' | 'db' | 'username' | 'password' | 'tls'>;

/**
 * A connection that never does behind our back what may be done once only: nothing waits in it, nothing is sent again,
 * and what was not answered when it broke is an error. It connects again for ever.
 * @param silenceMs without an answer, after which it is given up.
 */
export function createRedisClient(options: RedisOptions, name: string, silenceMs: number): Redis {
  return new Redis({
    ...placeOf(options),
    connectionName: `pogo-${name}`,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // 0: unanswered commands fail when the connection does.
    maxRetriesPerRequest: 0,
    maxLoadingRetryTime: 500,
    // Connecting, with TLS, takes more round trips than a command.
    connectTimeout: options.commandTimeoutMs,
    socketTimeout: silenceMs,
    retryStrategy: pauseBefore,
  });
}

/** A connection for a library that asks again by itself: while Redis is away, commands wait, and connecting never ends. */
export function createWaitingRedisClient(options: RedisOptions, name: string): Redis {
  return new Redis({
    ...placeOf(options),
    connectionName: `pogo-${name}`,
    maxRetriesPerRequest: null,
    connectTimeout: options.commandTimeoutMs,
    retryStrategy: pauseBefore,
  });
}

function placeOf({ host, port, username, password, db, tls }: RedisOptions): ConnectionPlace {
  return {
    host,
    port,
    db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    // A name for SNI; an address is none.
    ...(tls ? { tls: isIP(host) === 0 ? { servername: host } : {} } : {}),
  };
}

function pauseBefore(attempt: number): number {
  return Math.min(LONGEST_PAUSE_MS, 25 * 2 ** attempt) * (0.75 + Math.random() / 4);
}
