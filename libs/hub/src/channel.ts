import type { ChannelName } from '@pogo/pusher-protocol';
import type { App } from './app/app.js';
import { topicOf } from './broker/broker.js';
import { Batch, batchSize } from './fan-out/batch.js';
import type { PendingEvent } from './fan-out/pending-event.js';
import type { Subscription } from './subscription.js';

/** Publishers of a channel are answered at once while fewer events than these are pending in it. */
const EARLY_ANSWERS = 32;

/** A batch that is being written. */
interface Flight {
  readonly batch: Batch;
  /** Those who have not had it yet. An iterator of a Set survives that members come and go. */
  readonly recipients: Iterator<Subscription, undefined>;
  readonly recipientCount: number;
  readonly onLanded: (() => void) | undefined;
}

/** Publishers that wait for the flush of what is pending: one promise for all of them. */
interface Waiters {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

/**
 * An app's channel on this node: its local subscribers and the events that are on their way to them. One batch is in
 * flight at a time; what arrives meanwhile forms the next.
 */
export class Channel {
  readonly topic: string;
  readonly subscriptions = new Set<Subscription>();
  /** It stands in the fan-out's round robin. */
  isDirty = false;
  flight: Flight | undefined;
  private pending: PendingEvent[] = [];
  /** Number of the next event that arrives. */
  private number = 0;
  private waiters: Waiters | undefined;

  /** @param shard where its pending events are counted. */
  constructor(
    readonly app: App,
    readonly name: ChannelName,
    shardOf: (topic: string) => number,
  ) {
    this.topic = topicOf(app.id, name.name);
    this.shard = shardOf(this.topic);
  }

  readonly shard: number;

  /** Number of the next event: a subscription that begins now gets events from it on. */
  get nextNumber(): number {
    return this.number;
  }

  get pendingCount(): number {
    return this.pending.length;
  }

  append(event: PendingEvent): void {
    this.pending.push(event);
    this.number++;
  }

  /**
   * Resolves when what is pending now has been written. Undefined while so little is pending that its publisher need
   * not wait: always waiting halves the throughput, never waiting lets a publisher fill the memory.
   */
  whenCaughtUp(): Promise<void> | undefined {
    if (this.pending.length < EARLY_ANSWERS) return undefined;
    if (this.waiters === undefined) {
      let resolve = (): void => undefined;
      const promise = new Promise<void>((done) => (resolve = done));
      this.waiters = { promise, resolve };
    }
    return this.waiters.promise;
  }

  /** Makes a batch of what is pending. Undefined when nobody is here to get it. */
  takeOff(): Flight | undefined {
    if (this.subscriptions.size === 0) return undefined;
    const size = batchSize(this.pending);
    const events = this.pending.slice(0, size);
    this.pending = this.pending.slice(size);
    const isLast = this.pending.length === 0;
    const batch = new Batch(this.number - this.pending.length - size, events);
    this.flight = {
      batch,
      recipients: this.subscriptions.values() as Iterator<Subscription, undefined>,
      recipientCount: this.subscriptions.size,
      onLanded: isLast ? this.waiters?.resolve : undefined,
    };
    if (isLast) this.waiters = undefined;
    return this.flight;
  }

  /** Everybody has the batch in flight. */
  land(): Flight {
    const flight = this.flight as Flight;
    this.flight = undefined;
    flight.onLanded?.();
    return flight;
  }

  /** Forgets what is pending because nobody is here any more; answers how many events that were. */
  dropPending(): number {
    const count = this.pending.length;
    this.pending = [];
    this.waiters?.resolve();
    this.waiters = undefined;
    return count;
  }

  /** Gives one subscriber, who is about to leave, what has arrived for it and is not written yet. */
  deliverNow(subscription: Subscription): void {
    if (this.flight !== undefined) subscription.deliver(this.flight.batch);
    if (this.pending.length > 0) {
      subscription.deliver(new Batch(this.number - this.pending.length, this.pending));
    }
  }
}
