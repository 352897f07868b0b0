import { RedisOptions } from '@pogo/hub';
import type { Settings } from './settings.js';

/** What `redis_url` says. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls: boolean;
}

/** A server, or a Sentinel. */
export type RedisPlace = Pick<RedisAddress, 'host' | 'port'>;

const DEFAULT_PORT = 6379;
const DEFAULT_SENTINEL_PORT = 26_379;
const DB = /^\/(\d{1,4})$/;
const HOST = /^(\[[0-9A-Fa-f:.]+\]|[^\s:/@[\]]+)(?::(\d{1,5}))?$/;

/** `redis[s]://[user[:password]@]host[:port][/db]`, or undefined when it is something else. */
export function parseRedisUrl(text: string): RedisAddress | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const tls = url.protocol === 'rediss:';
  if ((!tls && url.protocol !== 'redis:') || url.hostname === '' || url.search !== '' || url.hash !== '')
    return undefined;
  const db = DB.exec(url.pathname)?.[1];
  if (db === undefined && url.pathname !== '' && url.pathname !== '/') return undefined;
  const [username, password] = [decode(url.username), decode(url.password)];
  if (username === undefined || password === undefined) return undefined;
  return {
    host: withoutBrackets(url.hostname),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    tls,
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(db === undefined ? {} : { db: Number(db) }),
  };
}

/** `host[:port]`, an IPv6 address in brackets; undefined when it is something else. */
export function parseRedisHost(text: string, defaultPort = DEFAULT_PORT): RedisPlace | undefined {
  const [, host, port = String(defaultPort)] = HOST.exec(text) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  return { host: withoutBrackets(host), port: Number(port) };
}

export function parseSentinel(text: string): RedisPlace | undefined {
  return parseRedisHost(text, DEFAULT_SENTINEL_PORT);
}

type RedisKey = Extract<keyof Settings, `redis_${string}`>;
type RedisSettings = Partial<Pick<Settings, RedisKey>>;

/** Each says where Redis is. */
const PLACES = ['redis_url', 'redis_host', 'redis_cluster_nodes', 'redis_sentinels'] as const;
/** What says more about it, and about what. */
const DETAILS = {
  redis_username: PLACES,
  redis_password: PLACES,
  redis_db: PLACES,
  redis_tls: PLACES,
  redis_prefix: PLACES,
  redis_sentinel_name: ['redis_sentinels'],
  redis_sentinel_password: ['redis_sentinels'],
} as const;

/** Undefined: one node, everything in memory. */
export function redisOptions(settings: RedisSettings): RedisOptions | undefined {
  const { redis_url: url, redis_host: host, redis_cluster_nodes: clusterNodes, redis_sentinels: sentinels } = settings;
  if (PLACES.every((place) => settings[place] === undefined)) return undefined;
  return new RedisOptions({
    ...withoutUndefined({ tls: settings.redis_tls, clusterNodes, sentinels }),
    ...host,
    ...url,
    ...withoutUndefined({
      username: settings.redis_username,
      password: settings.redis_password,
      db: settings.redis_db,
      prefix: settings.redis_prefix,
      sentinelName: settings.redis_sentinel_name,
      sentinelPassword: settings.redis_sentinel_password,
    }),
  });
}

/** What says where Redis is, or how to talk to it, and contradicts the rest. Names are of settings. */
export function redisProblems(
  isSet: (key: RedisKey) => boolean,
  { redis_url: url, redis_db: db }: RedisSettings,
): string[] {
  const problems: string[] = [];
  const [first, ...others] = PLACES.filter(isSet);
  for (const other of others) problems.push(`${first} and ${other} both say where Redis is: set one`);
  for (const [key, places] of Object.entries(DETAILS) as [RedisKey, readonly RedisKey[]][]) {
    if (isSet(key) && !places.some(isSet)) problems.push(`${key} needs ${oneOf(places)}`);
  }
  if (isSet('redis_username') && url?.username !== undefined)
    problems.push('redis_username and redis_url both name a user');
  if (isSet('redis_password') && url?.password !== undefined)
    problems.push('redis_password and redis_url both have a password');
  if (isSet('redis_db') && url?.db !== undefined) problems.push('redis_db and redis_url both name a database');
  if (isSet('redis_cluster_nodes') && db !== undefined && db !== 0)
    problems.push('redis_db must be 0 with redis_cluster_nodes: a Redis Cluster has no other');
  if (isSet('redis_tls') && isSet('redis_url'))
    problems.push('redis_tls goes without redis_url; a URL says it by rediss://');
  return problems;
}

function oneOf(names: readonly string[]): string {
  return names.join(', ').replace(/, ([^,]*)$/, ' or $1');
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
