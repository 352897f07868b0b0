import { Logger } from '@nestjs/common';
import { webhookEventJson, type WebhookEvent } from '@pogo/pusher-protocol';
import type { App } from '../app/app.js';
import { wants, type WebhookEndpoint } from '../app/webhook-endpoint.js';
import { pauseBeforeAskingAgain } from '../ask-again.js';
import type { HubEvents } from '../hub-events.js';
import { UnavailableError } from '../unavailable-error.js';
import { MemoryEndpointQueue } from './memory-endpoint-queue.js';
import { Settling } from './settling.js';
import { WebhookQueue, type WebhookReceiver } from './webhook-queue.js';

/** What waits for its app to be looked up; more is dropped. */
const MAX_INCOMING = 1_024;
const CLOSE_CHECK_MS = 5;

interface Incoming {
  readonly appId: string;
  readonly event: WebhookEvent;
}

/**
 * Webhooks of a node that is complete by itself: what the hub's events say, bounded, and gone with the process. Behind a
 * directory that several nodes share, each node tells what its own calls have caused.
 */
export class MemoryWebhookQueue extends WebhookQueue {
  private readonly logger = new Logger(MemoryWebhookQueue.name);
  private readonly settling = new Settling<Incoming>(({ appId, event }) => this.enqueue(appId, event));
  private readonly incoming: Incoming[] = [];
  private isDistributing = false;
  private isClosed = false;
  private readonly endpoints = new Map<string, MemoryEndpointQueue>();
  private receiver: WebhookReceiver | undefined;

  constructor(private readonly events: HubEvents) {
    super();
  }

  get depth(): number {
    let depth = this.incoming.length;
    for (const { length } of this.endpoints.values()) depth += length;
    return depth;
  }

  attach(receiver: WebhookReceiver): void {
    this.receiver = receiver;
    const { events } = this;
    events.on('channelOccupied', ({ appId, channel }) => this.isThere(appId, { name: 'channel_occupied', channel }));
    events.on('channelVacated', ({ appId, channel }) => this.isGone(appId, { name: 'channel_vacated', channel }));
    events.on('memberAdded', ({ appId, channel, member: { userId } }) =>
      this.isThere(appId, { name: 'member_added', channel, userId }),
    );
    events.on('memberRemoved', ({ appId, channel, member: { userId } }) =>
      this.isGone(appId, { name: 'member_removed', channel, userId }),
    );
    events.on('subscriptionCount', ({ appId, channel, count }) => {
      const event = { name: 'subscription_count', channel, subscriptionCount: count } as const;
      // It is published before the call that caused it is answered; the channel is occupied first.
      setImmediate(() => this.enqueue(appId, event));
    });
  }

  private get isBusy(): boolean {
    return this.isDistributing || [...this.endpoints.values()].some(({ isRunning }) => isRunning);
  }

  add(app: App, event: WebhookEvent): void {
    this.enqueue(app.id, event);
  }

  async close(withinMs: number): Promise<void> {
    const end = performance.now() + withinMs;
    // Nobody is left to come back.
    this.settling.endNow();
    for (const queue of this.endpoints.values()) queue.hurry();
    while (this.isBusy && performance.now() < end) {
      await pauseFor(CLOSE_CHECK_MS);
      for (const queue of this.endpoints.values()) queue.hurry();
    }
    this.isClosed = true;
    this.drop(this.incoming.splice(0));
    for (const [key, queue] of this.endpoints) {
      const count = queue.end();
      if (count > 0) this.receiver?.dropped(appIdIn(key), 'closed', count);
    }
  }

  /** The channel is occupied, or the member is there. */
  private isThere(appId: string, event: WebhookEvent): void {
    if (isTold(event) && !this.settling.cancel(keyOf(appId, event))) this.enqueue(appId, event);
  }

  private isGone(appId: string, event: WebhookEvent): void {
    if (isTold(event)) this.settling.begin(keyOf(appId, event), { appId, event });
  }

  private enqueue(appId: string, event: WebhookEvent): void {
    if (this.receiver === undefined) return;
    if (this.isClosed) this.receiver.dropped(appId, 'closed', 1);
    else if (this.incoming.length >= MAX_INCOMING) this.receiver.dropped(appId, 'queue_full', 1);
    else this.incoming.push({ appId, event });
    if (!this.isDistributing) void this.distribute(this.receiver);
  }

  /** One after the other, because looking up an app takes its time and order is kept. */
  private async distribute(receiver: WebhookReceiver): Promise<void> {
    this.isDistributing = true;
    for (let failures = 0; this.incoming.length > 0;) {
      const { appId, event } = this.incoming[0] as Incoming;
      try {
        for (const endpoint of await receiver.endpointsOf(appId)) {
          if (wants(endpoint, event)) this.queueOf(receiver, appId, endpoint).add(webhookEventJson(event));
        }
        this.incoming.shift();
        failures = 0;
      } catch (error) {
        if (!(error instanceof UnavailableError)) this.logger.error(error);
        await pauseBeforeAskingAgain(failures++);
      }
    }
    this.isDistributing = false;
  }

  private queueOf(receiver: WebhookReceiver, appId: string, endpoint: WebhookEndpoint): MemoryEndpointQueue {
    const key = `${appId}/${JSON.stringify([endpoint.url, endpoint.channelPrefix, endpoint.events])}`;
    let queue = this.endpoints.get(key);
    if (queue === undefined) {
      queue = new MemoryEndpointQueue({
        send: (events) => receiver.send(appId, endpoint, events),
        dropped: (reason, count) => receiver.dropped(appId, reason, count),
        emptied: () => this.endpoints.delete(key),
      });
      this.endpoints.set(key, queue);
    }
    return queue;
  }

  private drop(events: readonly Incoming[]): void {
    for (const { appId } of events) this.receiver?.dropped(appId, 'closed', 1);
  }
}

/** The channels that reach one signed-in user are the server's own. */
function isTold({ channel }: WebhookEvent): boolean {
  return !channel.startsWith('#');
}

/** A channel, or a member of it. Neither app ids nor channels have a `/`. */
function keyOf(appId: string, event: WebhookEvent): string {
  return `${appId}/${event.channel}/${'userId' in event ? (event.userId ?? '') : ''}`;
}

function appIdIn(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

function pauseFor(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
