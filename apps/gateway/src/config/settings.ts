import { z } from 'zod';
import { CLIENT_EVENT_SENDERS, REDIS_PREFIX } from '@pogo/hub';
import { DIALECT_NAMES, WEBHOOK_EVENT_NAMES } from '@pogo/pusher-protocol';
import { parseEndpoint } from './auth-endpoint.js';
import {
  duration,
  flag,
  integer,
  list,
  listOf,
  oneOf,
  parsed,
  parsedList,
  portOrOff,
  rate,
  size,
  text,
} from './fields.js';
import { parseRedisHost, parseRedisUrl, parseSentinel } from './redis-settings.js';
import { looksLikeKey } from './tls-files.js';

/** What a second gateway on the same machine does without. */
export const DEFAULT_METRICS_PORT = 2_019;

const PATH_PREFIX = /^(?:\/[A-Za-z0-9._~-]+)+$/;

/** A file. Somebody who gives what is in it instead is told so, and it is not shown. */
const path = () => text().refine((value) => !looksLikeKey(value), 'must be the path of a file, not what is in it');

/**
 * Every setting: its key as it is written in a file (`POGO_WS_` + upper case in the environment), what it takes, its
 * default and what it means. The one place where a setting is declared.
 */
export const settingsSchema = z.strictObject({
  host: text().default('0.0.0.0').describe('address to listen on'),
  port: integer(0, 65_535).default(8080).describe('port to listen on; 0 = any free one, printed'),
  unix_socket: path().optional().describe('path of a Unix socket to listen on as well, for publishers on this machine'),
  path_prefix: text()
    .transform((value) => `/${value.replace(/^\/+|\/+$/g, '')}`)
    .refine((value) => value === '/' || PATH_PREFIX.test(value), 'must be a path such as /ws')
    .transform((value) => (value === '/' ? '' : value))
    .default('')
    .describe('everything is served under it; /up also without'),
  tls_cert: path().optional().describe('PEM file: certificate and intermediates; serves https / wss; see tls.md'),
  tls_key: path().optional().describe('PEM file: the key of `tls_cert`'),
  app_id: text().optional().describe('id of the single app'),
  app_key: text().optional().describe('key of the single app; clients name it in the URL'),
  app_secret: text().optional().describe('secret of the single app; signs requests and subscriptions'),
  dialect: oneOf(...DIALECT_NAMES)
    .default('pusher')
    .describe('whose wording clients and publishers get: of Pusher, or of Laravel Reverb; see protocol.md'),
  client_events: flag().default(true).describe('whether clients may send `client-*` events'),
  accept_client_events_from: oneOf(...CLIENT_EVENT_SENDERS)
    .default('members')
    .describe('of private and presence channels, of `all` channels, or `none`; dialect `reverb` only'),
  subscription_count: flag().default(false).describe('tell clients how many connections their channel has'),
  user_authentication_timeout: duration(100)
    .optional()
    .describe('by then a client has signed in or is in a private or presence channel, or is closed; off by default'),
  webhook_url: parsed('an http:// or https:// URL without credentials and fragment', parseEndpoint)
    .optional()
    .describe('URL of the application that is told what happens; see webhooks.md'),
  webhook_secret: text()
    .optional()
    .describe('signs webhooks; by default the app’s secret, with which libraries check them'),
  webhook_events: listOf(...WEBHOOK_EVENT_NAMES)
    .prefault([...WEBHOOK_EVENT_NAMES])
    .describe('what it is told; all by default'),
  allowed_origins: list()
    .default([])
    .describe('`*`, `http(s)://host[:port]`, `host[:port]` or `*.example.com`; empty = all'),
  max_connections: integer(1).default(10_000).describe('connections of this node; more are refused with 4100'),
  max_connections_per_ip: rate('off', 1)
    .prefault(-1)
    .describe(
      'connections of one client IP (IPv6: of one /64) on this node; more are refused with 4100; off by default',
    ),
  max_channels_per_connection: integer(1).default(1_000).describe('subscriptions of one connection'),
  handshake_rate: rate(100)
    .prefault(100)
    .describe('handshakes per second and client IP (IPv6: /64); more get HTTP 429'),
  handshake_burst: rate(50, 1).prefault(50).describe('handshakes a client IP may make at once'),
  trusted_proxies: list()
    .default([])
    .describe('addresses and CIDRs whose X-Forwarded-For is believed; none by default'),
  client_msg_rate_limit: rate(50).prefault(50).describe('messages per second and connection; negative = off'),
  client_msg_rate_burst: rate(20, 1).prefault(20).describe('messages a connection may send at once'),
  max_inbox_messages: integer(1).default(256).describe('messages held while an authorization is awaited'),
  max_inbox_bytes: size().default(1_048_576).describe('bytes held while an authorization is awaited'),
  http_rate_limit: rate('off').prefault(-1).describe('signed requests per second and app; off by default'),
  http_signature_max_age: duration(1_000).default(600_000).describe('how far auth_timestamp may be off, either way'),
  max_event_bytes: size().default(262_144).describe('largest data of an event'),
  max_event_name_length: integer(1).default(200).describe('bytes of an event name'),
  max_channel_name_length: integer(1).default(200).describe('bytes of a channel name'),
  max_channels_per_event: integer(1).default(100).describe('channels of one publish'),
  max_batch_size: integer(1).default(10).describe('events of one batch'),
  max_body_bytes: size().default(2_097_152).describe('largest body of an HTTP request'),
  presence_max_members: integer(1).default(100).describe('users of a presence channel'),
  presence_max_user_info_bytes: size().default(2_048).describe("JSON of one member's user_info"),
  presence_max_user_id_length: integer(1).default(128).describe('bytes of a user_id'),
  cache_ttl: duration().default(1_800_000).describe('how long the last event of a cache channel is kept'),
  outbound_queue_size: integer(1).default(256).describe('events held for a client that does not read'),
  outbound_queue_bytes: size().default(1_048_576).describe('bytes held for a client that does not read'),
  slow_consumer: oneOf('disconnect', 'drop')
    .default('disconnect')
    .describe('over the bound: `disconnect` (4100) or `drop` the event'),
  write_wait: duration().default(10_000).describe('a socket blocked for longer is closed'),
  write_burst_size: integer(1).default(64).describe('frames per write when a blocked socket drains'),
  broker_queue_size: integer(1).default(1_024).describe('publishes in flight; more are refused with status 8'),
  shard_queue_size: integer(1).default(1_024).describe('events that wait per shard; more are refused with status 9'),
  num_shards: integer(1).optional().describe('shards; by default 2 for each CPU, within 4 and 64'),
  ping_period: duration(10).default(54_000).describe('how often a client is pinged'),
  pong_wait: duration(10).default(60_000).describe('silence after which a pinged client is closed; above ping_period'),
  activity_timeout: duration(1_000).default(120_000).describe('silence after which clients ping, told to them'),
  enable_compression: flag().default(false).describe('permessage-deflate for clients that offer it'),
  auth_endpoint: parsed('an http:// or https:// URL without credentials and fragment', parseEndpoint)
    .optional()
    .describe('URL of the application that authorizes clients which bring no signature; see authorization.md'),
  auth_path: text()
    .refine((value) => /^\/(?!\/)[^\s#]*$/.test(value), 'must be a path such as /broadcasting/auth')
    .default('/broadcasting/auth')
    .describe('appended to `auth_endpoint` when that has no path'),
  num_workers: integer(0, 1_000).default(2).describe('idle connections to `auth_endpoint` that are kept; no limit'),
  max_concurrent_auth: integer(1).default(100).describe('requests to `auth_endpoint` at once; more are denied'),
  max_auth_body: size().default(16_384).describe('largest answer of `auth_endpoint`'),
  auth_timeout: duration().default(3_000).describe('how long an authorization may take'),
  redis_url: parsed('redis://[user:password@]host[:port][/db], or rediss:// for TLS', parseRedisUrl)
    .optional()
    .describe('the Redis that connects several nodes; see operations.md'),
  redis_host: parsed('host or host:port', parseRedisHost).optional().describe('the same in parts: `host[:port]`'),
  redis_cluster_nodes: parsedList('one or more of host or host:port', parseRedisHost)
    .optional()
    .describe('some servers of a Redis Cluster (7 or newer); they name the others'),
  redis_sentinels: parsedList('one or more of host or host:port', parseSentinel)
    .optional()
    .describe('Sentinels that know where Redis is; port 26379 by default'),
  redis_sentinel_name: text().optional().describe('what they call it; `mymaster` by default'),
  redis_sentinel_password: text().optional().describe('password of the Sentinels themselves'),
  redis_username: text().optional().describe('user of Redis, where it has users'),
  redis_password: text().optional().describe('password of Redis'),
  redis_db: integer(0, 9_999).optional().describe('database of Redis; 0 by default, and in a Redis Cluster'),
  redis_tls: flag().optional().describe('TLS to Redis, and to Sentinels; off by default'),
  redis_prefix: text()
    .refine((value) => REDIS_PREFIX.test(value), 'must be 1 to 64 letters, digits, -, _ or .')
    .optional()
    .describe('begins every key, so that clusters can share a Redis; `pogo` by default'),
  command_secret: text().optional().describe('serves the message patterns `pogo.*`; signs them; see publishing.md'),
  command_port: integer(0, 65_535)
    .optional()
    .describe('TCP port on 127.0.0.1 for `pogo.*`; 0 = any free one; over Redis they need none'),
  shutdown_timeout: duration().default(10_000).describe('drain time'),
  metrics_host: text().default('127.0.0.1').describe('address that /metrics is served on, and only there'),
  metrics_port: portOrOff()
    .optional()
    .describe('port of /metrics; 2019 by default, when it is free; 0 = any free one; `off`: none; see metrics.md'),
  hot_path_metrics: flag().default(false).describe('histograms of every publish and write as well'),
  log_level: oneOf('error', 'warn', 'info', 'debug').default('info').describe('least important level that is logged'),
  log_format: oneOf('pretty', 'json').optional().describe('`pretty` on a terminal, else `json`'),
});

export type Settings = z.output<typeof settingsSchema>;
export type SettingKey = keyof Settings;

export const SETTING_KEYS = Object.keys(settingsSchema.shape) as SettingKey[];
export const SECRET_KEYS: ReadonlySet<string> = new Set<SettingKey>([
  'app_secret',
  'command_secret',
  'redis_password',
  'redis_sentinel_password',
  'redis_url',
  'webhook_secret',
]);
