import { Batch, batchSize } from './batch.js';
import type { PendingEvent } from './pending-event.js';

/** Publishers are answered at once while fewer events than these are pending. */
const EARLY_ANSWERS = 32;

/** A publisher that is answered when the events before number `upTo` are written. */
interface Waiter {
  readonly upTo: number;
  readonly resolve: () => void;
}

/**
 * The events of one channel that are not being written yet, oldest first, and the publishers that wait for them. Events
 * have channel-local numbers in the order in which they came.
 */
export class PendingQueue {
  private events: PendingEvent[] = [];
  /** The first of `events` as batches, as far as they have been made: whoever leaves gets what all others will get. */
  private batches: Batch[] = [];
  private batched = 0;
  private waiters: Waiter[] = [];
  private end = 0;

  get size(): number {
    return this.events.length;
  }

  /** Number of the next event that comes. */
  get nextNumber(): number {
    return this.end;
  }

  append(event: PendingEvent): void {
    this.events.push(event);
    this.end++;
  }

  /**
   * Resolves when what is pending now has been written. Undefined while so little is pending that its publisher need
   * not wait: always waiting halves the throughput, never waiting lets a publisher fill the memory.
   */
  whenWritten(): Promise<void> | undefined {
    if (this.events.length < EARLY_ANSWERS) return undefined;
    return new Promise((resolve) => this.waiters.push({ upTo: this.end, resolve }));
  }

  /** Takes the next batch; undefined when nothing is pending. */
  take(): Batch | undefined {
    if (this.events.length === 0) return undefined;
    if (this.batches.length === 0) this.makeBatch();
    const batch = this.batches.shift() as Batch;
    this.batched -= batch.size;
    this.events = this.events.slice(batch.size);
    return batch;
  }

  /** Everything that is pending, as the batches that will be taken. */
  all(): readonly Batch[] {
    while (this.batched < this.events.length) this.makeBatch();
    return this.batches;
  }

  /** The events before number `upTo` are written. */
  written(upTo: number): void {
    const waiting = this.waiters.findIndex((waiter) => waiter.upTo > upTo);
    const done = this.waiters.splice(0, waiting < 0 ? this.waiters.length : waiting);
    for (const { resolve } of done) resolve();
  }

  /** Forgets what is pending, because nobody is here to get it; answers how many events that were. */
  clear(): number {
    const { length } = this.events;
    this.events = [];
    this.batches = [];
    this.batched = 0;
    this.written(this.end);
    return length;
  }

  private makeBatch(): void {
    const rest = this.batched === 0 ? this.events : this.events.slice(this.batched);
    const first = this.end - rest.length;
    const batch = new Batch(first, rest.slice(0, batchSize(rest)));
    this.batches.push(batch);
    this.batched += batch.size;
  }
}
