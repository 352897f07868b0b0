import { parseAllowedOrigins, type AppSettings, type WebhookSettings } from '@pogo/hub';
import { WEBHOOK_EVENT_NAMES } from '@pogo/pusher-protocol';
import { z } from 'zod';
import { endpointUrl, parseEndpoint } from './auth-endpoint.js';
import { isEmpty } from './config-file.js';
import { flag, integer, list, listOf, parsed, text } from './fields.js';
import { shown, unknownKey } from './setting-sources.js';
import { settingsSchema, type Settings } from './settings.js';

/** A setting of the server as an app has it: without the default, because that is the server's value. */
const own = <K extends keyof typeof settingsSchema.shape>(key: K): z.ZodType<Settings[K] | undefined> => {
  const { innerType } = (settingsSchema.shape[key] as unknown as z.ZodOptional).def;
  return (innerType as z.ZodType<Settings[K]>).optional();
};

/** Everything that an entry of `apps:` may say. */
const appSchema = z.strictObject({
  id: text(),
  key: text(),
  secret: text(),
  enabled: flag().optional(),
  dialect: own('dialect'),
  client_events: own('client_events'),
  accept_client_events_from: own('accept_client_events_from'),
  subscription_count: own('subscription_count'),
  user_authentication_timeout: own('user_authentication_timeout'),
  allowed_origins: list().optional(),
  max_connections: integer(1).optional(),
  max_channels_per_connection: own('max_channels_per_connection'),
  client_msg_rate_limit: own('client_msg_rate_limit'),
  client_msg_rate_burst: own('client_msg_rate_burst'),
  http_rate_limit: own('http_rate_limit'),
  max_event_bytes: own('max_event_bytes'),
  max_event_name_length: own('max_event_name_length'),
  max_channel_name_length: own('max_channel_name_length'),
  presence_max_members: own('presence_max_members'),
  presence_max_user_info_bytes: own('presence_max_user_info_bytes'),
  presence_max_user_id_length: own('presence_max_user_id_length'),
  cache_ttl: own('cache_ttl'),
  auth_endpoint: own('auth_endpoint'),
  auth_path: own('auth_path'),
});

const webhookSchema = z.strictObject({
  url: parsed('an http:// or https:// URL without credentials and fragment', parseEndpoint),
  secret: text().optional(),
  events: listOf(...WEBHOOK_EVENT_NAMES).optional(),
  channel_prefix: text().optional(),
  headers: z.record(z.string(), z.string(), { error: 'must be names and texts' }).optional(),
});

/** Keys of an entry of `apps:`, for the documentation. */
export const APP_KEYS = [...Object.keys(appSchema.shape), 'webhooks'];
export const WEBHOOK_KEYS = Object.keys(webhookSchema.shape);

/** What makes the app of the settings, and its webhook. */
const OF_THE_SINGLE_APP = ['app_id', 'app_key', 'app_secret', 'webhook_url', 'webhook_secret', 'webhook_events'];
const OF_APPS = new Set([...Object.keys(appSchema.shape), ...OF_THE_SINGLE_APP]);

/** Whether a setting is what apps have unless they say otherwise. Of `max_connections` a node and an app have their own. */
export function isOfApps(setting: string): boolean {
  return OF_APPS.has(setting) && setting !== 'max_connections';
}

type AppEntry = z.output<typeof appSchema>;
type WebhookEntry = z.output<typeof webhookSchema>;

export interface ParsedApps {
  readonly apps: readonly AppSettings[];
  readonly problems: readonly string[];
}

/**
 * The apps of a configuration file. @param name of the list in messages. @param server what an app leaves half said.
 */
export function parseApps(value: unknown, name: string, server: Partial<Settings>): ParsedApps {
  if (!Array.isArray(value)) return { apps: [], problems: [`${name}: must be a list of apps`] };
  const results = value.map((entry, index) => parseApp(entry, `${name}[${index}]`, server));
  return {
    apps: results.flatMap(({ app }) => (app === undefined ? [] : [app])),
    problems: results.flatMap(({ problems }) => problems),
  };
}

function parseApp(
  value: unknown,
  name: string,
  server: Partial<Settings>,
): { readonly app: AppSettings | undefined; readonly problems: string[] } {
  if (!isRecord(value)) return { app: undefined, problems: [`${name}: must be an app with id, key and secret`] };
  const { webhooks: rawWebhooks, ...fields } = value;
  const problems: string[] = [];
  const entry = parseFields(appSchema, fields, name, problems) as AppEntry;
  const webhooks = isEmpty(rawWebhooks) ? undefined : parseWebhooks(rawWebhooks, `${name}.webhooks`, problems);
  try {
    const origins = entry.allowed_origins === undefined ? undefined : parseAllowedOrigins(entry.allowed_origins);
    if (problems.length > 0) return { app: undefined, problems };
    return { app: toApp(entry, origins, webhooks, server), problems };
  } catch (error) {
    problems.push(`${name}.allowed_origins: ${(error as Error).message}`);
    return { app: undefined, problems };
  }
}

function parseWebhooks(value: unknown, name: string, problems: string[]): WebhookSettings[] {
  if (!Array.isArray(value)) {
    problems.push(`${name}: must be a list of {${WEBHOOK_KEYS.join(', ')}}`);
    return [];
  }
  return value.map((entry, index) => {
    const webhook = parseFields(webhookSchema, entry, `${name}[${index}]`, problems) as WebhookEntry;
    const { url, channel_prefix: channelPrefix, ...rest } = webhook;
    return withoutUndefined({ url: url?.href ?? '', channelPrefix, ...rest }) as unknown as WebhookSettings;
  });
}

/** Field by field, so that every mistake is told; what is wrong is left out. */
function parseFields(
  { shape }: { readonly shape: Readonly<Record<string, z.ZodType>> },
  value: unknown,
  name: string,
  problems: string[],
): object {
  if (!isRecord(value)) {
    problems.push(`${name}: must have ${Object.keys(shape).join(', ')}`);
    return {};
  }
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(shape, key)) problems.push(`${name}.${key}: ${unknownKey(key, Object.keys(shape))}`);
  }
  const result: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(shape)) {
    const given = isEmpty(value[key]) ? undefined : value[key];
    const parsedField = field.safeParse(given);
    // What was not said is absent: for a rate, undefined means "off".
    if (parsedField.success && given === undefined) continue;
    if (parsedField.success) result[key] = parsedField.data;
    else if (given === undefined) problems.push(`${name}.${key}: is missing`);
    else
      problems.push(
        ...parsedField.error.issues.map(({ message }) => `${name}.${key} ${hidden(key, given)}: ${message}`),
      );
  }
  return result;
}

/** Headers of webhooks are tokens, as a rule. */
function hidden(key: string, value: unknown): string {
  return key === 'secret' || key === 'headers' ? '= <redacted>' : shown(key, value);
}

function toApp(
  entry: AppEntry,
  allowedOrigins: AppSettings['allowedOrigins'] | undefined,
  webhooks: readonly WebhookSettings[] | undefined,
  server: Partial<Settings>,
): AppSettings {
  const limits = withoutUndefined({
    maxEventBytes: entry.max_event_bytes,
    maxEventNameLength: entry.max_event_name_length,
    maxChannelNameLength: entry.max_channel_name_length,
    presenceMaxMembers: entry.presence_max_members,
    presenceMaxUserInfoBytes: entry.presence_max_user_info_bytes,
    presenceMaxUserIdLength: entry.presence_max_user_id_length,
  });
  const path = entry.auth_path ?? server.auth_path ?? '/broadcasting/auth';
  return {
    id: entry.id,
    key: entry.key,
    secret: entry.secret,
    limits,
    ...withoutUndefined({
      enabled: entry.enabled,
      dialect: entry.dialect,
      clientEvents: entry.client_events,
      acceptClientEventsFrom: entry.accept_client_events_from,
      subscriptionCount: entry.subscription_count,
      userAuthenticationTimeoutMs: entry.user_authentication_timeout,
      allowedOrigins,
      maxConnections: entry.max_connections,
      maxChannelsPerConnection: entry.max_channels_per_connection,
      cacheTtlMs: entry.cache_ttl,
      authEndpoint: entry.auth_endpoint === undefined ? undefined : endpointUrl(entry.auth_endpoint, path),
      webhooks,
    }),
    ...clientMessageRate(entry, server),
    ...('http_rate_limit' in entry ? { httpRateLimit: entry.http_rate_limit } : {}),
  };
}

/** An app that says one half has the server's other half. */
function clientMessageRate(entry: AppEntry, server: Partial<Settings>): Pick<AppSettings, 'clientMessageRate'> {
  const keys = ['client_msg_rate_limit', 'client_msg_rate_burst'] as const;
  if (!keys.some((key) => key in entry)) return {};
  const [perSecond, burst] = keys.map((key) => (key in entry ? entry[key] : server[key]));
  return { clientMessageRate: perSecond === undefined || burst === undefined ? undefined : { perSecond, burst } };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
