import type { WebhookEvent } from '@pogo/pusher-protocol';
import type { App } from '../app/app.js';
import type { WebhookEndpoint } from '../app/webhook-endpoint.js';

/** Why an event never reached an endpoint: `expired` after five minutes of failures. */
export type WebhookDrop = 'queue_full' | 'closed' | 'expired';

/** Who does what the queue brings. */
export interface WebhookReceiver {
  /** Where the app wants to be told now; nowhere when there is no such app. @throws UnavailableError */
  endpointsOf(appId: string): Promise<readonly WebhookEndpoint[]>;
  /**
   * Tells an endpoint of some events, in order.
   * @param events as they stand in a webhook's body. @throws when they must be told again.
   */
  send(appId: string, endpoint: WebhookEndpoint, events: readonly string[]): Promise<void>;
  /** Events that nobody will tell. */
  dropped(appId: string, reason: WebhookDrop, count: number): void;
}

/**
 * What applications are to be told by HTTP, until they have been: each transition once in the cluster, in order for each
 * channel. `channel_vacated` and `member_removed` wait for three seconds, and are not told, nor is the return, when the
 * channel or the member is back by then. An endpoint is told at least once, in batches of 100 at most that are gathered
 * for 50 ms, by one node at a time; when it fails, again for five minutes. One that is slow delays no other.
 * Contract suite: `webhookQueueContract`.
 */
export abstract class WebhookQueue {
  /** Begins to bring what waits. Called once. */
  abstract attach(receiver: WebhookReceiver): void;

  /** Adds what is no transition of the directory: `client_event`, `cache_miss`. Never throws; what is lost is counted. */
  abstract add(app: App, event: WebhookEvent): void;

  /** Events that wait here; with a store of its own, those that it has not taken yet. */
  abstract readonly depth: number;

  /** Finishes what can be finished within `withinMs`. What only this node knows is lost after that, and counted. */
  abstract close(withinMs: number): Promise<void>;
}
