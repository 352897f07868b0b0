import { describe, expect, it } from 'vitest';
import type { PendingEvent } from './pending-event.js';
import { PendingQueue } from './pending-queue.js';

const event = (bytes = 10): PendingEvent => ({ payload: Buffer.alloc(bytes, 'x') });

function queueOf(count: number, bytes?: number): PendingQueue {
  const queue = new PendingQueue();
  for (let i = 0; i < count; i++) queue.append(event(bytes));
  return queue;
}

describe('PendingQueue', () => {
  it('numbers events without a gap, whatever batches they end up in', () => {
    const queue = queueOf(100, 9_000);
    let next = 0;
    for (let batch = queue.take(); batch !== undefined; batch = queue.take()) {
      expect(batch.first).toBe(next);
      next = batch.end;
    }
    expect([next, queue.nextNumber, queue.size]).toEqual([100, 100, 0]);
  });

  it('makes the same batches for all who leave, and takes these', () => {
    const queue = queueOf(20, 9_000);
    const forOne = [...queue.all()];
    expect(forOne.map(({ size }) => size)).toEqual([7, 7, 6]);
    expect(queue.all()).toEqual(forOne);
    for (const [i, batch] of queue.all().entries()) expect(batch).toBe(forOne[i]);
    queue.append(event());
    expect(queue.all()).toHaveLength(4);
    expect(queue.take()).toBe(forOne[0]);
    expect(queue.all()[0]).toBe(forOne[1]);
    expect(queue.size).toBe(14);
  });

  it('answers who waits when their own events are written, not when nothing is left', async () => {
    const queue = queueOf(40, 9_000);
    const answered: string[] = [];
    void queue.whenWritten()?.then(() => answered.push('first'));
    for (let i = 0; i < 40; i++) queue.append(event(9_000));
    void queue.whenWritten()?.then(() => answered.push('second'));
    let end = 0;
    for (let batch = queue.take(); batch !== undefined && end < 40; batch = queue.take()) {
      expect(answered).toEqual([]);
      end = batch.end;
      queue.written(end);
    }
    await Promise.resolve();
    expect(end).toBeLessThan(50);
    expect(answered).toEqual(['first']);
    queue.written(80);
    await Promise.resolve();
    expect(answered).toEqual(['first', 'second']);
  });

  it('lets nobody wait for what is forgotten', async () => {
    const queue = queueOf(40);
    const waiting = queue.whenWritten();
    expect(queue.clear()).toBe(40);
    await waiting;
    expect(queue.size).toBe(0);
    queue.append(event());
    expect(queue.take()?.first).toBe(40);
  });
});
