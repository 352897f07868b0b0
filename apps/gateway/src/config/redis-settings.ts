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

const DEFAULT_PORT = 6379;
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
export function parseRedisHost(text: string): Pick<RedisAddress, 'host' | 'port'> | undefined {
  const [, host, port = String(DEFAULT_PORT)] = HOST.exec(text) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  return { host: withoutBrackets(host), port: Number(port) };
}

type RedisSettings = Partial<
  Pick<Settings, 'redis_url' | 'redis_host' | 'redis_password' | 'redis_db' | 'redis_tls' | 'redis_prefix'>
>;

/** Undefined: one node, everything in memory. */
export function redisOptions(settings: RedisSettings): RedisOptions | undefined {
  const { redis_url: url, redis_host: host, redis_password: password, redis_db: db } = settings;
  const address = url ?? (host === undefined ? undefined : { ...host, tls: settings.redis_tls ?? false });
  if (address === undefined) return undefined;
  return new RedisOptions({
    ...address,
    ...(password === undefined ? {} : { password }),
    ...(db === undefined ? {} : { db }),
    ...(settings.redis_prefix === undefined ? {} : { prefix: settings.redis_prefix }),
  });
}

/** What says where Redis is, or how to talk to it, and contradicts the rest. Names are of settings. */
export function redisProblems(
  isSet: (key: keyof RedisSettings) => boolean,
  { redis_url: url }: RedisSettings,
): string[] {
  const problems: string[] = [];
  if (isSet('redis_url') && isSet('redis_host'))
    problems.push('redis_url and redis_host both say where Redis is: set one');
  for (const key of ['redis_password', 'redis_db', 'redis_tls', 'redis_prefix'] as const) {
    if (isSet(key) && !isSet('redis_url') && !isSet('redis_host'))
      problems.push(`${key} needs redis_url or redis_host`);
  }
  if (isSet('redis_password') && url?.password !== undefined)
    problems.push('redis_password and redis_url both have a password');
  if (isSet('redis_db') && url?.db !== undefined) problems.push('redis_db and redis_url both name a database');
  if (isSet('redis_tls') && isSet('redis_url'))
    problems.push('redis_tls goes with redis_host; a URL says it by rediss://');
  return problems;
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
