import { DEFAULT_LIMITS, type DialectName, type ProtocolLimits } from '@pogo/pusher-protocol';
import { ANY_ORIGIN, type AllowedOrigins } from './allowed-origins.js';

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
}

/** A token bucket's settings: `burst` tokens at most, refilled with `perSecond`. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export const APP_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** What an app cannot do without; everything else has a default. */
export type AppSettings = Pick<App, 'id' | 'key' | 'secret'> &
  Partial<Omit<App, 'limits'>> & { readonly limits?: Partial<ProtocolLimits> };

/**
 * An app with the documented default for every setting that is absent.
 * @throws TypeError for an id that is none, for an empty key or secret (anybody could sign with that), and for an
 * authEndpoint that is no http or https URL.
 */
export function completeApp(settings: AppSettings): App {
  if (!APP_ID.test(settings.id))
    throw new TypeError(`app id ${JSON.stringify(settings.id)} must match ${APP_ID.source}`);
  if (settings.key === '' || settings.secret === '') throw new TypeError(`app ${settings.id} needs a key and a secret`);
  const { authEndpoint } = settings;
  if (authEndpoint !== undefined && !(/^https?:/.test(authEndpoint) && URL.canParse(authEndpoint))) {
    throw new TypeError(`app ${settings.id}: authEndpoint must be an http:// or https:// URL`);
  }
  return {
    enabled: true,
    dialect: 'pusher',
    clientEvents: true,
    allowedOrigins: ANY_ORIGIN,
    maxConnections: undefined,
    maxChannelsPerConnection: 1_000,
    clientMessageRate: { perSecond: 50, burst: 20 },
    httpRateLimit: undefined,
    authEndpoint: undefined,
    cacheTtlMs: 30 * 60_000,
    ...settings,
    limits: { ...DEFAULT_LIMITS, ...settings.limits },
  };
}
