import { DEFAULT_LIMITS, type DialectName, type ProtocolLimits } from '@pogo/pusher-protocol';
import { ANY_ORIGIN, type AllowedOrigins } from './allowed-origins.js';
import { APP_FIELDS, wrongField, type CLIENT_EVENT_SENDERS } from './app-fields.js';
import { completeWebhook, type WebhookEndpoint, type WebhookSettings } from './webhook-endpoint.js';

/** A tenant. Values are complete: whoever provides apps has filled in the server's defaults (see {@link completeApp}). */
export interface App {
  /** Letters, digits, `_` and `-`, at most 64 characters. */
  readonly id: string;
  readonly key: string;
  readonly secret: string;
  /** A disabled app's connections are refused with 4003; its HTTP API is unknown (404). */
  readonly enabled: boolean;
  readonly dialect: DialectName;
  /** Whether clients may send `client-*` events. */
  readonly clientEvents: boolean;
  /** From whom; anything but `members` is for dialect `reverb`. */
  readonly acceptClientEventsFrom: ClientEventSenders;
  /** Whether clients are told how many connections their channel has. */
  readonly subscriptionCount: boolean;
  /** By then a client must have signed in or been let into a private or presence channel; undefined = it need not. */
  readonly userAuthenticationTimeoutMs: number | undefined;
  readonly allowedOrigins: AllowedOrigins;
  /** Connections of the app in the whole cluster (approximate); undefined = no quota. */
  readonly maxConnections: number | undefined;
  readonly maxChannelsPerConnection: number;
  /** Messages per second and connection; undefined = no limit. */
  readonly clientMessageRate: Rate | undefined;
  /** Signed HTTP requests per second; undefined = no limit. */
  readonly httpRateLimit: number | undefined;
  /** URL that authorizes clients which bring no signature; undefined = nobody does. */
  readonly authEndpoint: string | undefined;
  /** How long the last event of a cache channel is kept. */
  readonly cacheTtlMs: number;
  readonly limits: ProtocolLimits;
  /** Who is told by HTTP of what happens in the app's channels. */
  readonly webhooks: readonly WebhookEndpoint[];
}

export type ClientEventSenders = (typeof CLIENT_EVENT_SENDERS)[number];

/** A token bucket's settings: `burst` tokens at most, refilled with `perSecond`. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export const APP_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** What an app cannot do without; everything else has a default. */
export type AppSettings = Pick<App, 'id' | 'key' | 'secret'> &
  Partial<Omit<App, 'limits' | 'webhooks'>> & {
    readonly limits?: Partial<ProtocolLimits>;
    readonly webhooks?: readonly WebhookSettings[];
  };

/**
 * An app with the documented default for every setting that is absent.
 * @throws TypeError for an id that is none, for an empty key or secret (anybody could sign with that), and for any
 * setting of the wrong type: it names the setting.
 */
export function completeApp(settings: AppSettings): App {
  const { id } = settings;
  if (typeof id !== 'string') throw new TypeError(`an app id must be a text, not ${id === null ? 'null' : typeof id}`);
  if (!APP_ID.test(id)) throw new TypeError(`app id ${JSON.stringify(id)} must match ${APP_ID.source}`);
  if (settings.key === '' || settings.secret === '') throw new TypeError(`app ${id} needs a key and a secret`);
  const app: App = {
    enabled: true,
    dialect: 'pusher',
    clientEvents: true,
    acceptClientEventsFrom: 'members',
    subscriptionCount: false,
    userAuthenticationTimeoutMs: undefined,
    allowedOrigins: ANY_ORIGIN,
    maxConnections: undefined,
    maxChannelsPerConnection: 1_000,
    clientMessageRate: { perSecond: 50, burst: 20 },
    httpRateLimit: undefined,
    authEndpoint: undefined,
    cacheTtlMs: 30 * 60_000,
    ...settings,
    ...accessed(settings),
    limits: { ...DEFAULT_LIMITS, ...settings.limits },
    webhooks: webhooksOf(settings),
  };
  const problem = wrongField(app);
  if (problem !== undefined) throw new TypeError(`app ${id}: ${problem}`);
  return app;
}

/** What is no list is left for {@link wrongField} to name. */
function webhooksOf({ webhooks = [] }: AppSettings): App['webhooks'] {
  return Array.isArray(webhooks) ? webhooks.map(completeWebhook) : (webhooks as App['webhooks']);
}

/** Settings that the accessors of a class answer, as those of some object mappers do: spreading leaves them out. */
function accessed(settings: AppSettings): Partial<Omit<App, 'webhooks'>> {
  const fields = APP_FIELDS.filter((field) => field in settings && !Object.hasOwn(settings, field));
  return Object.fromEntries(fields.map((field) => [field, settings[field]]));
}
