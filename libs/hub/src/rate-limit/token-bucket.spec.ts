import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.js';

const RATE = { perSecond: 10, burst: 3 };

/** A bucket out of which all tokens were taken at time 0. */
function emptied(): TokenBucket {
  const bucket = new TokenBucket(RATE, 0);
  for (let i = 0; i < RATE.burst; i++) bucket.take(RATE, 0);
  return bucket;
}

describe('A token bucket', () => {
  it('starts full and gives its burst at once, and nothing more', () => {
    const bucket = new TokenBucket(RATE, 1_000);
    expect([1, 2, 3, 4, 5].map(() => bucket.take(RATE, 1_000))).toEqual([true, true, true, false, false]);
  });

  it('gives one token more for every period that has passed', () => {
    const bucket = emptied();
    expect(bucket.take(RATE, 99)).toBe(false);
    expect(bucket.take(RATE, 100)).toBe(true);
    expect(bucket.take(RATE, 100)).toBe(false);
    expect(bucket.take(RATE, 300)).toBe(true);
    expect(bucket.take(RATE, 300)).toBe(true);
    expect(bucket.take(RATE, 300)).toBe(false);
  });

  it('never holds more than its burst, however long it rests', () => {
    const bucket = emptied();
    expect(bucket.remaining(RATE, 86_400_000)).toBe(3);
    expect([1, 2, 3, 4].map(() => bucket.take(RATE, 86_400_000))).toEqual([true, true, true, false]);
  });

  it('takes nothing when it refuses', () => {
    const bucket = emptied();
    for (let now = 0; now < 100; now += 10) expect(bucket.take(RATE, now)).toBe(false);
    expect(bucket.take(RATE, 101)).toBe(true);
  });

  it('says how many whole tokens are left', () => {
    const bucket = new TokenBucket(RATE, 0);
    expect(bucket.remaining(RATE, 0)).toBe(3);
    bucket.take(RATE, 0);
    expect(bucket.remaining(RATE, 0)).toBe(2);
    expect(bucket.remaining(RATE, 99)).toBe(2);
    expect(bucket.remaining(RATE, 100)).toBe(3);
  });

  it('says how long the next token takes, and that it is there then', () => {
    const bucket = emptied();
    expect(bucket.waitMs(RATE, 0)).toBe(100);
    expect(bucket.waitMs(RATE, 40)).toBe(60);
    expect(bucket.take(RATE, 99)).toBe(false);
    expect(bucket.waitMs(RATE, 100)).toBe(0);
    expect(bucket.take(RATE, 100)).toBe(true);
  });

  it('is not shaken by a clock that goes back', () => {
    const bucket = emptied();
    expect(bucket.take(RATE, -5_000)).toBe(false);
    expect(bucket.take(RATE, 99)).toBe(false);
    expect(bucket.take(RATE, 100)).toBe(true);
  });

  it('follows a rate that changes while it is in use', () => {
    const bucket = emptied();
    expect(bucket.remaining({ perSecond: 1_000, burst: 50 }, 10)).toBe(10);
    expect(bucket.remaining({ perSecond: 1_000, burst: 5 }, 11)).toBe(5);
  });

  it('never gives more than its burst and what the time has earned, whoever asks when', () => {
    const calls = fc.array(fc.nat(500), { maxLength: 100 });
    fc.assert(
      fc.property(
        calls,
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 20 }),
        (pauses, perSecond, burst) => {
          const bucket = new TokenBucket({ perSecond, burst }, 0);
          let now = 0;
          let given = 0;
          for (const pause of pauses) {
            now += pause;
            if (bucket.take({ perSecond, burst }, now)) given++;
          }
          expect(given).toBeLessThanOrEqual(burst + (now / 1_000) * perSecond + 1e-6);
        },
      ),
    );
  });

  it('has a token when the time that it named has passed', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 1_000, noNaN: true }), fc.nat(1_000), (perSecond, later) => {
        const rate = { perSecond, burst: 1 };
        const bucket = new TokenBucket(rate, 0);
        bucket.take(rate, 0);
        const now = Math.min(later, 900 / perSecond);
        expect(bucket.take(rate, now + bucket.waitMs(rate, now) + 1)).toBe(true);
      }),
    );
  });
});
