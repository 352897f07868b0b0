import type { App } from '../app/app.js';
import type { WebhookEndpoint } from '../app/webhook-endpoint.js';

/** Some events for one endpoint. */
export interface Webhook {
  readonly app: App;
  readonly endpoint: WebhookEndpoint;
  /** JSON: `{"time_ms":…,"events":[…]}`, at most 100 events. */
  readonly body: string;
  /** Of the body, with the endpoint's secret or the app's: `X-Pusher-Signature`. */
  readonly signature: string;
}

/**
 * Tells an endpoint what happened: by HTTP, unless an application brings another way,
 * `GatewayModule.forRoot({ webhooks: MySender })`.
 */
export abstract class WebhookSender {
  /**
   * Resolves when the endpoint has taken it. What it throws is logged, and the same is sent again, with pauses, for five
   * minutes; meanwhile nothing else is sent to the endpoint. After `signal` the answer is not waited for any more.
   */
  abstract send(webhook: Webhook, signal: AbortSignal): Promise<void>;
}
