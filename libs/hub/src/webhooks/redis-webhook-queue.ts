import { Logger } from '@nestjs/common';
import { webhookEventJson, type WebhookEvent } from '@pogo/pusher-protocol';
import type { App } from '../app/app.js';
import { wants } from '../app/webhook-endpoint.js';
import { LogPause } from '../log-pause.js';
import { RECORD } from '../redis/redis-due-scripts.js';
import { channelBucket } from '../redis/redis-keys.js';
import type { PendingEntry, RedisPending } from '../redis/redis-pending.js';
import { RedisScript } from '../redis/redis-script.js';
import type { RedisSession } from '../redis/redis-session.js';
import { UnavailableError } from '../unavailable-error.js';
import { endpointIdOf } from './redis-endpoint-id.js';
import type { RedisDrainJobs } from './redis-drain-jobs.js';
import type { RedisEndpointStreams } from './redis-endpoint-streams.js';
import { WebhookQueue, type WebhookReceiver } from './webhook-queue.js';
import { EVENTS_PER_REQUEST, PATIENCE_MS } from './webhook-pauses.js';

const record = new RedisScript(RECORD);

/** Far less than a job of a node that does not stir is left alone. */
const OLD_READING_MS = 1_000;

/** Sent to Redis when the directory's link opens. */
export const WEBHOOK_SCRIPTS = [record];

/**
 * Webhooks of a cluster. What has happened stands in the stream of its bucket, where the script that did it has put it;
 * from there it goes to the stream of each endpoint that wants it, and a job of BullMQ says that this is to be emptied.
 * Whatever dies in between, the next who looks goes on.
 */
export class RedisWebhookQueue extends WebhookQueue {
  private readonly logger = new Logger(RedisWebhookQueue.name);
  private readonly pause = new LogPause();
  private receiver: WebhookReceiver | undefined;
  private adding = 0;

  constructor(
    private readonly session: RedisSession,
    private readonly pending: RedisPending,
    private readonly streams: RedisEndpointStreams,
    private readonly jobs: RedisDrainJobs,
  ) {
    super();
  }

  get depth(): number {
    return this.adding;
  }

  attach(receiver: WebhookReceiver): void {
    this.receiver = receiver;
    this.jobs.onDrain = (appId, endpointId) => this.drain(receiver, appId, endpointId);
    this.pending.onEntries = (bucket, entries) => this.distribute(receiver, bucket, entries);
    this.pending.onEndpoints = (endpoints, isChosen) => void this.lookAfter(endpoints, isChosen);
  }

  add(app: App, event: WebhookEvent): void {
    this.adding++;
    const bucket = channelBucket(app.id, event.channel);
    this.session
      .change(bucket, record, [event.channel, event.name, webhookEventJson(event)])
      .catch((error: unknown) => {
        this.logError(error);
        this.receiver?.dropped(app.id, 'queue_full', 1);
      })
      .finally(() => this.adding--);
  }

  async close(withinMs: number): Promise<void> {
    await this.jobs.close(withinMs);
  }

  /** From a bucket to all endpoints that want to hear of it. */
  private async distribute(receiver: WebhookReceiver, bucket: string, entries: readonly PendingEntry[]): Promise<void> {
    const appId = bucket.slice(0, bucket.lastIndexOf(':'));
    const events = entries.map(eventOf);
    for (const endpoint of await receiver.endpointsOf(appId)) {
      const endpointId = endpointIdOf(appId, endpoint);
      const wanted = events.filter(({ event }) => wants(endpoint, event));
      if (wanted.length === 0) continue;
      const refused = await this.streams.append(appId, endpointId, bucket, wanted);
      if (refused > 0) receiver.dropped(appId, 'queue_full', refused);
      this.jobs.add(appId, endpointId);
    }
  }

  /** Empties the endpoint's stream. @throws when it must be tried again. */
  private async drain(receiver: WebhookReceiver, appId: string, endpointId: string): Promise<void> {
    const endpoints = await receiver.endpointsOf(appId);
    const endpoint = endpoints.find((each) => endpointIdOf(appId, each) === endpointId);
    if (endpoint === undefined) return this.leave(endpointId);
    for (;;) {
      const askedAt = performance.now();
      const entries = await this.streams.read(endpointId, EVENTS_PER_REQUEST);
      if (entries.length === 0) return;
      // Frozen meanwhile: another node may have told of these, and of later ones.
      if (performance.now() - askedAt > OLD_READING_MS) continue;
      try {
        await receiver.send(
          appId,
          endpoint,
          entries.map(({ json }) => json),
        );
      } catch (error) {
        const expired = await this.streams.expire(endpointId, PATIENCE_MS);
        if (expired > 0) receiver.dropped(appId, 'expired', expired);
        throw error;
      }
      await this.streams.remove(
        endpointId,
        entries.map(({ id }) => id),
      );
    }
  }

  /** Unknown here. Where nodes are replaced one by one, others may know it: what waits is theirs for a day. */
  private async leave(endpointId: string): Promise<void> {
    if (!(await this.streams.hasEntries(endpointId))) await this.streams.forget(endpointId);
  }

  /** Whoever put something into a stream may have died before it said so. */
  private async lookAfter(endpoints: ReadonlyMap<string, string>, isChosen: boolean): Promise<void> {
    this.jobs.start();
    if (!isChosen) return;
    try {
      for (const [endpointId, appId] of endpoints) {
        if (await this.streams.hasEntries(endpointId)) this.jobs.add(appId, endpointId);
      }
    } catch (error) {
      this.logError(error);
    }
  }

  private logError(error: unknown): void {
    if (!(error instanceof UnavailableError) && this.pause.isOver()) this.logger.error(error);
  }
}

/** @returns the event, and as it stands in a webhook. */
function eventOf({ id, name, channel, detail = '', json }: PendingEntry): {
  readonly id: string;
  readonly event: WebhookEvent;
  readonly json: string;
} {
  const event = {
    name,
    channel,
    ...(name.startsWith('member_') ? { userId: detail } : {}),
    ...(name === 'subscription_count' ? { subscriptionCount: Number(detail) } : {}),
  } as WebhookEvent;
  return { id, event, json: json ?? webhookEventJson(event) };
}
