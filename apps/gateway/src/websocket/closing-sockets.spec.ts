import { afterEach, describe, expect, it, vi } from 'vitest';
import { ClosingSockets } from './closing-sockets.js';

afterEach(() => vi.useRealTimers());

/** Sockets that are slow to cut off: a millisecond each. */
function setUp(count: number) {
  const state = { clock: 1_000, cutOff: 0 };
  const closing = new ClosingSockets(() => state.clock);
  const sockets = Array.from({ length: count }, () => ({
    terminate: () => {
      state.clock++;
      state.cutOff++;
    },
  }));
  for (const socket of sockets) closing.add(socket);
  return { state, closing, sockets };
}

describe('Sockets that are closing', () => {
  it('are cut off after two seconds, a few in each turn while that takes time', () => {
    vi.useFakeTimers();
    const { state, closing } = setUp(5);
    state.clock = 2_999;
    closing.sweep();
    expect(state.cutOff).toBe(0);
    state.clock = 3_000;
    closing.sweep();
    for (const expected of [2, 4, 5]) {
      expect(state.cutOff).toBe(expected);
      // The next turn.
      vi.advanceTimersToNextTimer();
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are left alone when they have closed, and have two seconds from when it began, not from the last time', () => {
    vi.useFakeTimers();
    const { state, closing, sockets } = setUp(2);
    closing.delete(sockets[0] as (typeof sockets)[number]);
    state.clock = 2_000;
    closing.add(sockets[1] as (typeof sockets)[number]);
    state.clock = 3_000;
    vi.advanceTimersByTime(100);
    vi.runAllTicks();
    vi.advanceTimersByTime(1);
    expect(state.cutOff).toBe(1);
  });
});
