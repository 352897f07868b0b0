import type { HubCounters } from '../hub-counters.js';
import type { HubOptions } from '../hub-options.js';
import { retainable, type Frames } from './frame.js';

type OutboxOptions = Pick<HubOptions, 'outboundQueueSize' | 'outboundQueueBytes' | 'writeBurstSize' | 'hotPathMetrics'>;

interface Waiting {
  readonly bytes: Buffer;
  /** Frames in `bytes`, at most a burst of them. */
  readonly frames: number;
  /** `performance.now()`; undefined when nobody measures. */
  readonly queuedAt: number | undefined;
}

const SPENT: Waiting = { bytes: Buffer.alloc(0), frames: 0, queuedAt: undefined };

/** Where an outbox writes to when it drains. */
export interface Drain {
  cork(): void;
  uncork(): void;
  /** False: the socket takes no more, wait for the next drain. */
  writeNow(bytes: Buffer): boolean;
}

/**
 * Frames of one connection that wait for its socket to drain, oldest first. It exists only while the socket is
 * blocked: a connection that keeps up has none.
 */
export class Outbox {
  private waiting: Waiting[] = [];
  private first = 0;
  private frames = 0;
  private bytes = 0;

  /** @param blockedSince sweeper time at which the socket last took bytes. */
  constructor(
    public blockedSince: number,
    private readonly limits: OutboxOptions,
    private readonly counters: HubCounters,
  ) {}

  /** Frames that wait. */
  get size(): number {
    return this.frames;
  }

  /** How long the oldest frame has waited; undefined when nothing waits or nobody measures. */
  get waitedMs(): number | undefined {
    const queuedAt = this.waiting[this.first]?.queuedAt;
    return queuedAt === undefined ? undefined : performance.now() - queuedAt;
  }

  /** Adds frames `from` up to `to` as views of the shared buffer; answers how many of them there was room for. */
  addFrames(frames: Frames, from: number, to: number): number {
    let next = from;
    while (next < to) {
      const end = this.lastThatFits(frames, next, Math.min(to, next + this.limits.writeBurstSize));
      if (end === next) break;
      this.put(retainable(frames.slice(next, end)), end - next);
      next = end;
    }
    return next - from;
  }

  /** Adds one frame; false when there is no room for it. */
  addFrame(bytes: Buffer): boolean {
    if (!this.hasRoomFor(1, bytes.length)) return false;
    this.put(bytes, 1);
    return true;
  }

  /**
   * Writes bursts of at most `writeBurstSize` frames in one system call until empty (true) or blocked again (false). A
   * burst ends when the socket has enough: what it buffers is not counted here.
   */
  flush(drain: Drain): boolean {
    let free = true;
    while (free && this.frames > 0) {
      drain.cork();
      let left = this.limits.writeBurstSize;
      do {
        const { bytes, frames } = this.take();
        free = drain.writeNow(bytes);
        left -= frames;
      } while (free && this.frames > 0 && this.next.frames <= left);
      drain.uncork();
    }
    return free;
  }

  /** Forgets what waits. */
  clear(): void {
    this.counters.outboxBytes -= this.bytes;
    this.waiting = [];
    this.first = 0;
    this.frames = 0;
    this.bytes = 0;
  }

  private lastThatFits(frames: Frames, from: number, to: number): number {
    let end = to;
    while (end > from && !this.hasRoomFor(end - from, frames.lengthOf(from, end))) end--;
    return end;
  }

  private hasRoomFor(frames: number, bytes: number): boolean {
    const { outboundQueueSize, outboundQueueBytes } = this.limits;
    return this.frames + frames <= outboundQueueSize && this.bytes + bytes <= outboundQueueBytes;
  }

  private put(bytes: Buffer, frames: number): void {
    this.waiting.push({ bytes, frames, queuedAt: this.limits.hotPathMetrics ? performance.now() : undefined });
    this.frames += frames;
    this.bytes += bytes.length;
    this.counters.outboxBytes += bytes.length;
    this.counters.outboxPeakBytes = Math.max(this.counters.outboxPeakBytes, this.bytes);
  }

  private get next(): Waiting {
    return this.waiting[this.first] as Waiting;
  }

  private take(): Waiting {
    const { next } = this;
    // What is written must not be kept by an outbox that never gets empty.
    this.waiting[this.first++] = SPENT;
    this.frames -= next.frames;
    this.bytes -= next.bytes.length;
    this.counters.outboxBytes -= next.bytes.length;
    if (this.first === this.waiting.length || this.first >= 1024) {
      this.waiting = this.waiting.slice(this.first);
      this.first = 0;
    }
    return next;
  }
}
