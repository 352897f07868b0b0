import { Injectable } from '@nestjs/common';
import { WebhookSender, type Webhook } from '@pogo/hub';

/** POSTs webhooks as Pusher does, so that the official server libraries validate them. Follows no redirects. */
@Injectable()
export class HttpWebhookSender extends WebhookSender {
  /** @throws Error for every answer but 2xx, and when there is none. */
  async send({ app, endpoint, body, signature }: Webhook, signal: AbortSignal): Promise<void> {
    const response = await fetch(endpoint.url, {
      method: 'POST',
      headers: {
        'User-Agent': 'Pogo-Gateway',
        ...endpoint.headers,
        'Content-Type': 'application/json',
        'X-Pusher-Key': app.key,
        'X-Pusher-Signature': signature,
      },
      body,
      redirect: 'manual',
      signal,
    });
    // Whatever it says: nobody reads it, and the connection is free again.
    await response.body?.cancel();
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
  }
}
