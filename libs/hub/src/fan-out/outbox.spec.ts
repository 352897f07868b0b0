import { describe, expect, it } from 'vitest';
import { HubCounters } from '../hub-counters.js';
import { HubOptions } from '../hub-options.js';
import { Frames } from './frame.js';
import { Outbox, type Drain } from './outbox.js';

/** Takes so many writes and then no more. */
function drainOf(writes: number): Drain & { readonly written: Buffer[] } {
  const written: Buffer[] = [];
  return {
    written,
    cork: () => undefined,
    uncork: () => undefined,
    writeNow: (bytes) => {
      written.push(bytes);
      return written.length < writes;
    },
  };
}

const outboxOf = (options: Partial<HubOptions> = {}) => new Outbox(0, new HubOptions(options), new HubCounters());
const framesOf = (...sizes: number[]) => Frames.ofPayloads(sizes.map((size) => Buffer.alloc(size, 'x')));

describe('Outbox', () => {
  it('keeps nothing that is written, although it never gets empty', () => {
    const outbox = outboxOf();
    for (let i = 0; i < 100; i++) {
      outbox.addFrames(framesOf(1_000), 0, 1);
      outbox.addFrames(framesOf(1_000), 0, 1);
      outbox.flush(drainOf(1));
    }
    const { waiting } = outbox as unknown as { waiting: { bytes: Buffer }[] };
    expect(outbox.size).toBe(100);
    expect(waiting.filter(({ bytes }) => bytes.length > 0)).toHaveLength(100);
  });

  it('does not pin a large batch for a small frame of it', () => {
    const outbox = outboxOf();
    outbox.addFrames(framesOf(50_000, 10), 1, 2);
    const drain = drainOf(1);
    outbox.flush(drain);
    expect(drain.written.map(({ buffer }) => buffer.byteLength)).toEqual([12]);
  });

  it('shares the buffer of a batch that it holds most of', () => {
    const outbox = outboxOf();
    const frames = framesOf(1_000, 1_000, 10);
    outbox.addFrames(frames, 0, 2);
    const drain = drainOf(1);
    outbox.flush(drain);
    expect(drain.written[0]?.buffer).toBe(frames.bytes.buffer);
  });

  it('ends a burst when the socket has enough', () => {
    const outbox = outboxOf({ writeBurstSize: 64 });
    for (let i = 0; i < 10; i++) outbox.addFrames(framesOf(10), 0, 1);
    const drain = drainOf(3);
    expect(outbox.flush(drain)).toBe(false);
    expect([drain.written.length, outbox.size]).toEqual([3, 7]);
  });
});
