import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import {
  AppDefaults,
  HubOptions,
  parseAllowedOrigins,
  TrustedProxies,
  type App,
  type AppSettings,
  type Rate,
  type RedisOptions,
  type WebhookSettings,
} from '@pogo/hub';
import { endpointUrl } from './auth-endpoint.js';
import { redisOptions } from './redis-settings.js';
import { DEFAULT_METRICS_PORT, type Settings } from './settings.js';
import type { TlsFiles, TlsPair } from './tls-files.js';

export const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '::1']);

/** A client message is an event plus its wrapping: names, a signature, channel_data. */
const MESSAGE_OVERHEAD_BYTES = 65_536;

/** DI token of the {@link GatewayConfig}. */
export const GATEWAY_CONFIG = Symbol('GATEWAY_CONFIG');

/** The typed configuration of one gateway, parsed once at start. Durations in ms, sizes in bytes. */
export interface GatewayConfig {
  readonly host: string;
  readonly port: number;
  /** Path of a Unix socket that is listened on as well, in plain HTTP. */
  readonly unixSocket: string | undefined;
  /** https and wss are served when it is there; `createGateway` needs it, too. */
  readonly tls: TlsConfig | undefined;
  /** "" or "/path" without a trailing slash. */
  readonly pathPrefix: string;
  readonly apps: readonly App[];
  /** The server's settings for apps from elsewhere that do not have their own. */
  readonly appDefaults: AppDefaults;
  /** The app was made up for development: its secret is new at every start, and only loopback is served. */
  readonly isDevelopmentApp: boolean;
  readonly http: HttpConfig;
  /** Whose X-Forwarded-For is believed. */
  readonly trustedProxies: TrustedProxies;
  /** The message patterns `pogo.*` are served. */
  readonly commands: CommandConfig | undefined;
  /** A client message over it ends the connection with 1009. */
  readonly maxClientMessageBytes: number;
  /** permessage-deflate is accepted when a client offers it. */
  readonly compression: boolean;
  readonly hub: HubOptions;
  /** The Redis that connects this node with others; without it the node is complete by itself. */
  readonly redis: RedisOptions | undefined;
  readonly shutdownTimeoutMs: number;
  /** Where /metrics is served; undefined: nowhere. */
  readonly metrics: MetricsConfig | undefined;
  /** The file that some of it came from, to be read again while the server runs. */
  readonly source: ConfigSource | undefined;
  readonly log: { readonly level: Settings['log_level']; readonly format: 'pretty' | 'json' | undefined };
}

export interface TlsConfig extends TlsFiles {
  /** Names that the certificate was for at start, `*.example.com` among them. */
  readonly names: readonly string[];
}

export interface HttpConfig {
  readonly signatureMaxAgeMs: number;
  readonly maxBodyBytes: number;
  readonly maxChannelsPerEvent: number;
  readonly maxBatchSize: number;
}

export interface ConfigSource {
  /** Of the file. */
  readonly path: string;
  /** Of the file, from just before it was read; see `stampOf`. */
  readonly stamp: string | undefined;
  /** What this configuration was made of. */
  readonly settings: Settings;
  /** Everything anew: the file as it is now, the rest as it was. @throws ConfigError */
  read(): { readonly config: GatewayConfig; readonly settings: Settings };
}

export interface MetricsConfig {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** The configuration names the port, so it must be free. */
  readonly isAskedFor: boolean;
}

export interface CommandConfig {
  readonly secret: string;
  /** TCP port on loopback; undefined: over Redis only. */
  readonly port: number | undefined;
}

/** What an embedding application may say beside the settings. */
export interface ConfigExtras {
  /** More apps; each setting they leave out has the server's value. */
  readonly apps?: readonly AppSettings[];
  /** Apps come from an AppProvider of the application: none is made up when the settings name none. */
  readonly hasAppProvider?: boolean;
}

/**
 * Groups settings by the room that uses them.
 * @param tls the pair behind `tls_cert` and `tls_key`.
 * @throws TypeError for origins and apps that are malformed.
 */
export function toGatewayConfig(settings: Settings, extras: ConfigExtras = {}, tls?: TlsPair): GatewayConfig {
  const defaults = new AppDefaults(appDefaults(settings));
  const apps = (extras.apps ?? []).map((app) => defaults.complete(app));
  const { app_id: id, app_key: key, app_secret: secret } = settings;
  if (key !== undefined && secret !== undefined) {
    apps.unshift(defaults.complete({ id: id ?? '1', key, secret }));
  }
  const isDevelopmentApp = apps.length === 0 && extras.hasAppProvider !== true;
  return {
    host: isDevelopmentApp && !LOOPBACK_HOSTS.has(settings.host) ? '127.0.0.1' : settings.host,
    port: settings.port,
    tls: tlsConfig(settings, tls),
    unixSocket: settings.unix_socket === undefined ? undefined : resolve(settings.unix_socket),
    pathPrefix: settings.path_prefix,
    apps: isDevelopmentApp ? [developmentApp(defaults)] : apps,
    appDefaults: defaults,
    maxClientMessageBytes:
      Math.max(settings.max_event_bytes, ...apps.map(({ limits }) => limits.maxEventBytes)) + MESSAGE_OVERHEAD_BYTES,
    isDevelopmentApp,
    http: {
      signatureMaxAgeMs: settings.http_signature_max_age,
      maxBodyBytes: settings.max_body_bytes,
      maxChannelsPerEvent: settings.max_channels_per_event,
      maxBatchSize: settings.max_batch_size,
    },
    trustedProxies: new TrustedProxies(settings.trusted_proxies),
    commands:
      settings.command_secret === undefined
        ? undefined
        : { secret: settings.command_secret, port: settings.command_port },
    compression: settings.enable_compression,
    hub: hubOptions(settings),
    redis: redisOptions(settings),
    shutdownTimeoutMs: settings.shutdown_timeout,
    metrics: metricsConfig(settings),
    source: undefined,
    log: { level: settings.log_level, format: settings.log_format },
  };
}

function tlsConfig({ tls_cert: cert, tls_key: key }: Settings, pair: TlsPair | undefined): TlsConfig | undefined {
  if (cert === undefined || key === undefined || pair === undefined) return undefined;
  // Absolute, so that a process that changes its folder still finds them when they are read again.
  return { certPath: resolve(cert), keyPath: resolve(key), names: pair.names };
}

function metricsConfig({ metrics_host: host, metrics_port: port }: Settings): MetricsConfig | undefined {
  if (port === 'off') return undefined;
  return { host, port: port ?? DEFAULT_METRICS_PORT, isAskedFor: port !== undefined };
}

/** Id 1 because pusher-http-node's `forURL` parses the id as a number. */
function developmentApp(defaults: AppDefaults): App {
  return defaults.complete({ id: '1', key: 'pogo-key', secret: randomBytes(24).toString('base64url') });
}

/** Undefined when either is off. */
function rateOf(perSecond: number | undefined, burst: number | undefined): Rate | undefined {
  return perSecond === undefined || burst === undefined ? undefined : { perSecond, burst };
}

function appDefaults(settings: Settings): Partial<AppSettings> {
  return {
    dialect: settings.dialect,
    clientEvents: settings.client_events,
    acceptClientEventsFrom: settings.accept_client_events_from,
    subscriptionCount: settings.subscription_count,
    userAuthenticationTimeoutMs: settings.user_authentication_timeout,
    webhooks: webhooksOf(settings),
    allowedOrigins: parseAllowedOrigins(settings.allowed_origins),
    maxChannelsPerConnection: settings.max_channels_per_connection,
    clientMessageRate: rateOf(settings.client_msg_rate_limit, settings.client_msg_rate_burst),
    authEndpoint:
      settings.auth_endpoint === undefined ? undefined : endpointUrl(settings.auth_endpoint, settings.auth_path),
    httpRateLimit: settings.http_rate_limit,
    cacheTtlMs: settings.cache_ttl,
    limits: {
      maxEventBytes: settings.max_event_bytes,
      maxEventNameLength: settings.max_event_name_length,
      maxChannelNameLength: settings.max_channel_name_length,
      presenceMaxMembers: settings.presence_max_members,
      presenceMaxUserInfoBytes: settings.presence_max_user_info_bytes,
      presenceMaxUserIdLength: settings.presence_max_user_id_length,
    },
  };
}

function webhooksOf({ webhook_url: url, webhook_secret: secret, webhook_events: events }: Settings): WebhookSettings[] {
  return url === undefined ? [] : [{ url: url.href, secret, events }];
}

/** How many shards a machine has unless told otherwise. */
export function shardsFor(cpus: number): number {
  return Math.min(64, Math.max(4, 2 * cpus));
}

function hubOptions(settings: Settings): HubOptions {
  return new HubOptions({
    maxConnections: settings.max_connections,
    maxConnectionsPerIp: settings.max_connections_per_ip,
    handshakeRate: rateOf(settings.handshake_rate, settings.handshake_burst),
    pingPeriodMs: settings.ping_period,
    pongWaitMs: settings.pong_wait,
    activityTimeoutSeconds: Math.round(settings.activity_timeout / 1_000),
    maxInboxMessages: settings.max_inbox_messages,
    maxInboxBytes: settings.max_inbox_bytes,
    outboundQueueSize: settings.outbound_queue_size,
    outboundQueueBytes: settings.outbound_queue_bytes,
    slowConsumer: settings.slow_consumer,
    writeWaitMs: settings.write_wait,
    writeBurstSize: settings.write_burst_size,
    brokerQueueSize: settings.broker_queue_size,
    shardQueueSize: settings.shard_queue_size,
    numShards: settings.num_shards ?? shardsFor(availableParallelism()),
    authTimeoutMs: settings.auth_timeout,
    maxConcurrentAuth: settings.max_concurrent_auth,
    maxIdleAuthSockets: settings.num_workers,
    maxAuthBodyBytes: settings.max_auth_body,
    hotPathMetrics: settings.hot_path_metrics,
  });
}
