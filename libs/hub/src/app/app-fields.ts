import { DEFAULT_LIMITS, DIALECT_NAMES } from '@pogo/pusher-protocol';
import type { App, Rate } from './app.js';
import { wrongWebhook } from './webhook-endpoint.js';

/** From whom client events are taken: subscribers of private and presence channels, of any channel, or nobody. */
export const CLIENT_EVENT_SENDERS = ['members', 'all', 'none'] as const;

interface FieldRule {
  /** Completes "must be …". */
  readonly wanted: string;
  readonly isMet: (value: unknown) => boolean;
}

const SWITCH: FieldRule = { wanted: 'true or false', isMet: (value) => typeof value === 'boolean' };
const TEXT: FieldRule = {
  wanted: 'a text that is not empty',
  isMet: (value) => typeof value === 'string' && value !== '',
};
const AMOUNT: FieldRule = { wanted: 'a number from 0', isMet: isAmount };

/** Of nothing at all there is no "so many per second". */
const RATE: FieldRule = { wanted: 'a number above 0', isMet: (value) => isAmount(value) && (value as number) > 0 };

/** `id` is judged before: the sentences name it. */
const RULES: Readonly<Record<Exclude<keyof App, 'id' | 'webhooks'>, FieldRule>> = {
  key: TEXT,
  secret: TEXT,
  enabled: SWITCH,
  dialect: oneOf(DIALECT_NAMES),
  clientEvents: SWITCH,
  acceptClientEventsFrom: oneOf(CLIENT_EVENT_SENDERS),
  subscriptionCount: SWITCH,
  userAuthenticationTimeoutMs: orUndefined(AMOUNT),
  allowedOrigins: {
    wanted: 'an object with allows(origin): see parseAllowedOrigins',
    isMet: (value) => typeof (value as App['allowedOrigins'] | null | undefined)?.allows === 'function',
  },
  maxConnections: orUndefined(AMOUNT),
  maxChannelsPerConnection: AMOUNT,
  clientMessageRate: orUndefined({ wanted: '{ perSecond, burst }, of which perSecond is above 0', isMet: isRate }),
  httpRateLimit: orUndefined(RATE),
  authEndpoint: orUndefined({ wanted: 'an http:// or https:// URL', isMet: isHttpUrl }),
  cacheTtlMs: AMOUNT,
  limits: {
    wanted: `an object with a number from 0 for each of ${Object.keys(DEFAULT_LIMITS).join(', ')}`,
    isMet: (value) => hasAmounts(value, Object.keys(DEFAULT_LIMITS)),
  },
};

export const APP_FIELDS = ['id', ...Object.keys(RULES), 'webhooks'] as readonly (keyof App)[];

/**
 * What is wrong with a complete app, or undefined. Types end where apps come from a table or another service: a limit
 * that is null or a text would be no limit. Values are not named, one of them is the secret.
 */
export function wrongField(app: App): string | undefined {
  for (const [field, { wanted, isMet }] of Object.entries(RULES)) {
    if (!isMet(app[field as keyof App])) return `${field} must be ${wanted}`;
  }
  return wrongWebhooks(app.webhooks);
}

function wrongWebhooks(webhooks: unknown): string | undefined {
  if (!Array.isArray(webhooks)) return 'webhooks must be a list';
  const problems = webhooks.map((webhook, i) => [i, wrongWebhook(webhook)] as const);
  const first = problems.find(([, problem]) => problem !== undefined);
  return first && `webhooks[${first[0]}]: ${first[1]}`;
}

function oneOf(choices: readonly string[]): FieldRule {
  return { wanted: choices.join(' or '), isMet: (value) => choices.includes(value as string) };
}

function orUndefined({ wanted, isMet }: FieldRule): FieldRule {
  return { wanted: `${wanted}, or undefined`, isMet: (value) => value === undefined || isMet(value) };
}

function isAmount(value: unknown): boolean {
  return Number.isFinite(value) && (value as number) >= 0;
}

function isRate(value: unknown): boolean {
  const { perSecond } = (value ?? {}) as Partial<Rate>;
  return hasAmounts(value, ['perSecond', 'burst'] satisfies (keyof Rate)[]) && perSecond !== 0;
}

function hasAmounts(value: unknown, names: readonly string[]): boolean {
  const record = value as Readonly<Record<string, unknown>> | null | undefined;
  return names.every((name) => isAmount(record?.[name]));
}

function isHttpUrl(value: unknown): boolean {
  return typeof value === 'string' && /^https?:/.test(value) && URL.canParse(value);
}
