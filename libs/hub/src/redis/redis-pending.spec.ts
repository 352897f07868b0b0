import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnavailableError } from '../unavailable-error.js';
import { RedisPending } from './redis-pending.js';

type Reply = [answer: string, wait: number, rows: [Buffer, Buffer[]][]];

/** A session whose looks end when the test says so. */
class Looks {
  readonly isReady = true;
  readonly asked: string[] = [];
  private readonly open: ((reply: Reply | Error) => void)[] = [];

  async read(bucket: string): Promise<unknown[]> {
    this.asked.push(bucket);
    const reply = await new Promise<Reply | Error>((resolve) => this.open.push(resolve));
    if (reply instanceof Error) throw reply;
    return reply;
  }

  /** Ends the oldest look. @param wait ms until the next thing is due; negative: nothing is. */
  async end(wait: number, ids: readonly string[] = []): Promise<void> {
    const rows = ids.map((id): [Buffer, Buffer[]] => [
      Buffer.from(id),
      ['t', 'cache_miss', 'c', 'a'].map((text) => Buffer.from(text)),
    ]);
    this.open.shift()?.(['OK', wait, rows]);
    await vi.advanceTimersByTimeAsync(0);
  }

  async fail(error: Error): Promise<void> {
    this.open.shift()?.(error);
    await vi.advanceTimersByTimeAsync(0);
  }
}

let looks: Looks;
let pending: RedisPending;
const everywhere = { isChosen: false, buckets: [] as string[], endpoints: new Map<string, string>() };
beforeEach(() => {
  vi.useFakeTimers();
  looks = new Looks();
  pending = new RedisPending(looks, { lookEverywhere: () => Promise.resolve(everywhere) });
});
afterEach(() => {
  pending.close();
  vi.useRealTimers();
});

describe('Buckets in which something waits', () => {
  it('are looked at once for all that happens within 50 ms', async () => {
    for (let i = 0; i < 5; i++) pending.note('1:7');
    pending.note('1:8');
    await vi.advanceTimersByTimeAsync(60);
    expect(looks.asked).toEqual(['1:7', '1:8']);
  });

  it('are looked at again when the next thing is due', async () => {
    pending.note('1:7');
    await vi.advanceTimersByTimeAsync(60);
    await looks.end(3_000);
    await vi.advanceTimersByTimeAsync(2_900);
    expect(looks.asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(looks.asked).toHaveLength(2);
  });

  it.each([-1, 3_000])('are looked at again for what happens while a look takes long (next in %i ms)', async (wait) => {
    pending.note('1:7');
    await vi.advanceTimersByTimeAsync(60);
    pending.note('1:7');
    // Its time comes, and the first look is still under way.
    await vi.advanceTimersByTimeAsync(500);
    expect(looks.asked).toHaveLength(1);
    await looks.end(wait);
    await vi.advanceTimersByTimeAsync(60);
    expect(looks.asked).toHaveLength(2);
  });

  it('are looked at again after a second when Redis does not answer', async () => {
    pending.note('1:7');
    await vi.advanceTimersByTimeAsync(60);
    await looks.fail(new UnavailableError('away', 'not_done'));
    await vi.advanceTimersByTimeAsync(1_100);
    expect(looks.asked).toHaveLength(2);
  });

  it('keep what is not safe elsewhere', async () => {
    const entries = vi.fn(() => Promise.reject(new UnavailableError('away', 'not_done')));
    pending.onEntries = entries;
    pending.note('1:7');
    await vi.advanceTimersByTimeAsync(60);
    await looks.end(-1, ['1-1']);
    // Not fetched: the next question is another look.
    await vi.advanceTimersByTimeAsync(1_100);
    expect(entries).toHaveBeenCalledTimes(1);
    await looks.end(-1, ['1-1']);
    expect(entries).toHaveBeenCalledTimes(2);
  });

  it('are all looked at by the one who is chosen', async () => {
    pending.start();
    Object.assign(everywhere, { isChosen: true, buckets: ['1:1', '2:5'] });
    await vi.advanceTimersByTimeAsync(4_100);
    expect(looks.asked.toSorted()).toEqual(['1:1', '2:5']);
  });
});
