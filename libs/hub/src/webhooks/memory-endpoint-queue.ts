import { setTimeout as sleep } from 'node:timers/promises';
import { EVENTS_PER_REQUEST, GATHER_MS, PATIENCE_MS, pauseAfter } from './webhook-pauses.js';

/** What waits for one endpoint; more is dropped. */
const MAX_EVENTS = 1_024;

interface WaitingEvent {
  readonly json: string;
  readonly since: number;
}

export interface EndpointQueueOptions {
  /** Rejects when it must be told again. */
  readonly send: (events: readonly string[]) => Promise<void>;
  readonly dropped: (reason: 'queue_full' | 'expired', count: number) => void;
  /** Nothing waits any more. */
  readonly emptied: () => void;
}

/** What one endpoint is still to be told, in order. */
export class MemoryEndpointQueue {
  private waiting: WaitingEvent[] = [];
  /** Something waits, and is being told of. */
  isRunning = false;
  private hasEnded = false;
  private readonly wake = new AbortController();

  constructor(private readonly options: EndpointQueueOptions) {}

  get length(): number {
    return this.waiting.length;
  }

  add(json: string): void {
    if (this.waiting.length >= MAX_EVENTS) {
      this.options.dropped('queue_full', 1);
      return;
    }
    this.waiting.push({ json, since: performance.now() });
    if (!this.isRunning) void this.run();
  }

  /** No more pauses: what waits is told now, or never. */
  hurry(): void {
    this.wake.abort();
  }

  /** Gives up what waits. @returns how much that is. */
  end(): number {
    this.hasEnded = true;
    this.hurry();
    return this.waiting.splice(0).length;
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    await this.rest(GATHER_MS);
    for (let failures = 0; this.waiting.length > 0 && !this.hasEnded;) {
      const batch = this.waiting.slice(0, EVENTS_PER_REQUEST);
      try {
        await this.options.send(batch.map(({ json }) => json));
        this.waiting.splice(0, batch.length);
        failures = 0;
      } catch {
        this.dropExpired();
        // Who is in a hurry has one try.
        if (this.wake.signal.aborted) break;
        await this.rest(pauseAfter(++failures));
      }
    }
    this.isRunning = false;
    if (this.waiting.length === 0) this.options.emptied();
  }

  private dropExpired(): void {
    const oldest = performance.now() - PATIENCE_MS;
    const expired = this.waiting.findIndex(({ since }) => since >= oldest);
    const count = this.waiting.splice(0, expired < 0 ? this.waiting.length : expired).length;
    if (count > 0) this.options.dropped('expired', count);
  }

  private rest(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.wake.signal }).catch(() => undefined);
  }
}
