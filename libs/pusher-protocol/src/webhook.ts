import { createHmac } from 'node:crypto';

/** What an application can be told by HTTP. */
export const WEBHOOK_EVENT_NAMES = [
  'channel_occupied',
  'channel_vacated',
  'member_added',
  'member_removed',
  'client_event',
  'cache_miss',
  'subscription_count',
] as const;

export type WebhookEventName = (typeof WEBHOOK_EVENT_NAMES)[number];

/** One event for webhooks. Source: Pusher Channels documentation, "Webhooks". */
export type WebhookEvent = { readonly channel: string } & (
  | { readonly name: 'channel_occupied' | 'channel_vacated' | 'cache_miss' }
  | { readonly name: 'member_added' | 'member_removed'; readonly userId: string }
  | { readonly name: 'subscription_count'; readonly subscriptionCount: number }
  | {
      readonly name: 'client_event';
      readonly event: string;
      /** JSON text of `data` as the client sent it; absent when it sent none. */
      readonly dataJson?: string;
      readonly socketId: string;
      /** On presence channels. */
      readonly userId?: string;
    }
);

/** The event as it stands in a webhook's `events`. A client's data is a text there: its own, or the JSON of what it sent. */
export function webhookEventJson(event: WebhookEvent): string {
  const { name, channel } = event;
  switch (event.name) {
    case 'member_added':
    case 'member_removed':
      return JSON.stringify({ name, channel, user_id: event.userId });
    case 'subscription_count':
      return JSON.stringify({ name, channel, subscription_count: event.subscriptionCount });
    case 'client_event':
      return JSON.stringify({
        name,
        channel,
        event: event.event,
        data: dataText(event.dataJson),
        socket_id: event.socketId,
        user_id: event.userId,
      });
    default:
      return JSON.stringify({ name, channel });
  }
}

/** The body of a webhook. @param events as {@link webhookEventJson} makes them. */
export function webhookBody(timeMs: number, events: readonly string[]): string {
  return `{"time_ms":${timeMs},"events":[${events.join(',')}]}`;
}

/** `X-Pusher-Signature`: what the official libraries check with the app's secret. */
export function signWebhook(secret: string, body: string): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}

function dataText(dataJson: string | undefined): string | undefined {
  return dataJson?.startsWith('"') ? (JSON.parse(dataJson) as string) : dataJson;
}
