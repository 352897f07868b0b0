import { describe, expect, it } from 'vitest';
import { BucketTable } from './bucket-table.js';

const RATE = { perSecond: 1, burst: 2 };

describe('BucketTable', () => {
  it('gives each name its burst, then what has flowed in, and says how long to wait', () => {
    let now = 0;
    const table = new BucketTable(() => now);
    const allowed = () => table.take('a', RATE).allowed;
    expect([allowed(), allowed(), allowed()]).toEqual([true, true, false]);
    expect(table.take('a', RATE).retryAfterMs).toBe(1_000);
    expect(table.take('b', RATE)).toEqual({ allowed: true, remaining: 1, retryAfterMs: 0 });
    now += 750;
    expect(table.take('a', RATE)).toEqual({ allowed: false, remaining: 0, retryAfterMs: 250 });
    now += 250;
    expect([allowed(), allowed()]).toEqual([true, false]);
  });

  it('knows 4,096 names, and forgets the one that was not asked for longest', () => {
    const table = new BucketTable(() => 0);
    const use = (name: string) => table.take(name, { perSecond: 1, burst: 1 }).allowed;
    for (let i = 0; i < 4_096; i++) use(`${i}`);
    expect(use('0')).toBe(false);
    use('one more');
    expect(use('0')).toBe(false);
    expect(use('1')).toBe(true);
  });
});
