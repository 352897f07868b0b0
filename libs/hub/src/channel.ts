import type { ChannelName } from '@pogo/pusher-protocol';
import type { App } from './app/app.js';
import { topicOf } from './broker/broker.js';
import type { Batch } from './fan-out/batch.js';
import { PendingQueue } from './fan-out/pending-queue.js';
import type { Roster } from './roster.js';
import type { Subscription } from './subscription.js';
import type { TopicSubject } from './topic-registry.js';

/** A batch that is being written. */
export interface Flight {
  readonly batch: Batch;
  /** Those who have not had it yet. An iterator of a Set survives that members come and go. */
  readonly recipients: Iterator<Subscription, undefined>;
  readonly recipientCount: number;
  /** Of the fan-out's clock; only when somebody measures. */
  times?: { startedAt: number; writingMs: number };
}

/**
 * An app's channel on this node: its local subscribers and the events that are on their way to them. One batch is in
 * flight at a time; what arrives meanwhile forms the next.
 */
export class Channel implements TopicSubject {
  readonly topic: string;
  /** Where its pending events are counted. */
  readonly shard: number;
  readonly subscriptions = new Set<Subscription>();
  readonly pending = new PendingQueue();
  flight: Flight | undefined = undefined;
  /** On presence channels, while somebody here is in it: the members as these clients know them. */
  roster: Roster | undefined = undefined;
  /** The number of connections that its clients were told last; undefined when some of them may not have been. */
  toldCount: number | undefined = undefined;
  /** Of the state with that number. */
  countSerial = 0;
  /** It stands in the fan-out's round robin. */
  isDirty = false;

  /** @param app replaced when its settings change. */
  constructor(
    public app: App,
    readonly name: ChannelName,
    shardOf: (topic: string) => number,
  ) {
    this.topic = topicOf(app.id, name.name);
    this.shard = shardOf(this.topic);
  }

  get isWanted(): boolean {
    return this.subscriptions.size > 0;
  }

  /** Whether a client here was the user before the channel's `serial`, and still is. */
  hosts(userId: string, serial: number): boolean {
    for (const subscription of this.subscriptions) {
      if (subscription.member?.userId === userId && subscription.wasLiveBefore(serial)) return true;
    }
    return false;
  }

  /** Makes a batch of what is pending. Undefined when there is nothing, or nobody to get it. */
  takeOff(): Flight | undefined {
    if (this.subscriptions.size === 0) return undefined;
    const batch = this.pending.take();
    if (batch === undefined) return undefined;
    const recipients = this.subscriptions.values() as Iterator<Subscription, undefined>;
    return (this.flight = { batch, recipients, recipientCount: this.subscriptions.size });
  }

  /** Everybody has the batch in flight. */
  land({ batch }: Flight): void {
    this.flight = undefined;
    this.pending.written(batch.end);
  }

  /** Gives one subscriber what has arrived for it and is not written yet: it leaves, or is acknowledged anew. */
  deliverNow(subscription: Subscription): void {
    if (this.flight !== undefined) subscription.deliver(this.flight.batch);
    for (const batch of this.pending.all()) subscription.deliver(batch);
  }
}
