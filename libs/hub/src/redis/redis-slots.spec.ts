import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { RedisSlots, type SlotObserver } from './redis-slots.js';

type Range = [first: number, last: number, ...servers: [string | null, number][]];

/** Servers that answer what they are told to, or that cannot be reached. */
class Servers {
  readonly asked: string[] = [];
  readonly answers = new Map<string, Range[]>();

  dial = ({ host, port }: { host: string; port: number }): Redis => {
    const address = `${host}:${port}`;
    const connect = () =>
      this.answers.has(address) ? Promise.resolve() : Promise.reject(new Error(`${address} is away`));
    const cluster = () => {
      this.asked.push(address);
      return Promise.resolve(this.answers.get(address));
    };
    return Object.assign(new EventEmitter(), { connect, cluster, disconnect: () => undefined }) as unknown as Redis;
  };
}

class Watch implements SlotObserver {
  isInTrouble = false;
  moves = 0;
  private onMoved: () => void = () => undefined;

  moved(): void {
    this.moves++;
    this.onMoved();
  }

  /** Resolves when it is told the next time, before it can be told once more. */
  next(): Promise<void> {
    return new Promise((resolve) => (this.onMoved = resolve));
  }
}

const SEEDS = [
  { host: 'a', port: 1 },
  { host: 'b', port: 2 },
];
let slots: RedisSlots | undefined;
afterEach(() => slots?.close());

function start(servers: Servers): { slots: RedisSlots; watch: Watch } {
  const created = (slots = new RedisSlots(SEEDS, servers.dial));
  const watch = new Watch();
  created.observe(watch);
  created.start();
  return { slots: created, watch };
}

describe('RedisSlots', () => {
  it('knows who has what, from the first seed that answers', async () => {
    const servers = new Servers();
    servers.answers.set('b:2', [
      [0, 8_191, [null, 2], ['c', 3]],
      [8_192, 16_383, ['d', 4]],
    ]);
    const { slots, watch } = start(servers);
    expect(slots.isComplete).toBe(false);
    await expect.poll(() => slots.isComplete).toBe(true);
    // A server that does not know its own name is where it was asked.
    expect([slots.ownerOf(0), slots.ownerOf(8_191), slots.ownerOf(8_192)]).toEqual(['b:2', 'b:2', 'd:4']);
    expect([...slots.masters]).toEqual(['b:2', 'd:4']);
    expect(watch.moves).toBe(1);
  });

  it('is not complete while somebody is nameless, and asks another one each time', async () => {
    const servers = new Servers();
    servers.answers.set('a:1', [[0, 16_383, ['?', 5]]]);
    servers.answers.set('b:2', [[0, 16_382, ['b', 2]]]);
    const { slots } = start(servers);
    await expect.poll(() => servers.asked.length).toBeGreaterThan(3);
    expect(slots.isComplete).toBe(false);
    expect(new Set(servers.asked)).toEqual(new Set(['a:1', 'b:2']));
    servers.answers.set('a:1', [[0, 16_383, ['a', 1]]]);
    await expect.poll(() => slots.isComplete).toBe(true);
  });

  it('believes who turns a command away, and asks', async () => {
    const servers = new Servers();
    servers.answers.set('a:1', [[0, 16_383, ['a', 1]]]);
    const { slots, watch } = start(servers);
    await expect.poll(() => slots.isComplete).toBe(true);
    const told = watch.next();
    slots.redirected(6, 'e:5');
    slots.redirected(7, 'e:5');
    slots.redirected(7, 'e:5');
    slots.redirected(8, undefined);
    expect([5, 6, 7, 8].map((slot) => slots.ownerOf(slot))).toEqual(['a:1', 'e:5', 'e:5', 'a:1']);
    // Told once of all that came together.
    expect(watch.moves).toBe(1);
    await told;
    expect(watch.moves).toBe(2);
    servers.answers.set('a:1', [
      [0, 6, ['a', 1]],
      [7, 16_383, ['e', 5]],
    ]);
    servers.answers.set('e:5', servers.answers.get('a:1') as Range[]);
    await expect.poll(() => slots.ownerOf(9)).toBe('e:5');
  });
});
