import { WEBHOOK_EVENT_NAMES, type WebhookEvent, type WebhookEventName } from '@pogo/pusher-protocol';

/** Where an app wants to be told, and of what. */
export interface WebhookEndpoint {
  /** http:// or https://. What is queued for it is kept under it: another URL is another endpoint. */
  readonly url: string;
  /** Signs instead of the app's secret; official libraries validate with that. */
  readonly secret: string | undefined;
  /** By default all. */
  readonly events: readonly WebhookEventName[];
  /** Channels whose names start otherwise are left out; '' = all. */
  readonly channelPrefix: string;
  /** Sent as well, for a gateway on the way or to tell servers apart. */
  readonly headers: Readonly<Record<string, string>>;
}

export type WebhookSettings = Pick<WebhookEndpoint, 'url'> & Partial<WebhookEndpoint>;

/** An endpoint with the default for everything that was left out. */
export function completeWebhook(settings: WebhookSettings): WebhookEndpoint {
  return { secret: undefined, events: WEBHOOK_EVENT_NAMES, channelPrefix: '', headers: {}, ...settings };
}

/** Whether the endpoint wants to hear of the event. */
export function wants({ events, channelPrefix }: WebhookEndpoint, { name, channel }: WebhookEvent): boolean {
  return events.includes(name) && channel.startsWith(channelPrefix);
}

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
/** What the webhook says itself, and what says where its body ends. */
const OWN_HEADER = /^(?:x-pusher-.*|content-type|content-length|transfer-encoding|connection|host)$/i;

/** What is wrong with a complete endpoint, or undefined. Types end where apps come from a table. */
export function wrongWebhook(webhook: unknown): string | undefined {
  const { url, secret, events, channelPrefix, headers } = (webhook ?? {}) as Readonly<Record<string, unknown>>;
  if (!isWebhookUrl(url)) return 'url must be an http:// or https:// URL without credentials (headers may have some)';
  if (secret !== undefined && (typeof secret !== 'string' || secret === ''))
    return 'secret must be a text that is not empty';
  const names: readonly unknown[] = WEBHOOK_EVENT_NAMES;
  if (!Array.isArray(events) || events.length === 0 || !events.every((event) => names.includes(event))) {
    return `events must be a list of ${WEBHOOK_EVENT_NAMES.join(', ')}`;
  }
  if (typeof channelPrefix !== 'string') return 'channelPrefix must be a text';
  return wrongHeaders(headers);
}

/** `fetch` refuses credentials, and they would stand in logs. */
function isWebhookUrl(value: unknown): boolean {
  if (typeof value !== 'string' || !/^https?:/.test(value) || !URL.canParse(value)) return false;
  const { username, password } = new URL(value);
  return username === '' && password === '';
}

function wrongHeaders(headers: unknown): string | undefined {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    return 'headers must be an object of names and texts';
  }
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name)) return `headers: ${JSON.stringify(name)} is not a name of a header`;
    if (OWN_HEADER.test(name)) return `headers: ${name} is set by the webhook itself`;
    if (typeof value !== 'string' || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      return `headers: the value of ${name} must be a text of one line`;
    }
  }
  return undefined;
}
