import { createHash } from 'node:crypto';
import type { WebhookEndpoint } from '../app/webhook-endpoint.js';

/** Tells the endpoints of all apps apart: another URL, or another choice of events, is another endpoint. */
export function endpointIdOf(appId: string, { url, channelPrefix, events }: WebhookEndpoint): string {
  const text = JSON.stringify([url, channelPrefix, [...events].sort()]);
  return `${appId}:${createHash('sha256').update(text).digest('base64url').slice(0, 16)}`;
}
