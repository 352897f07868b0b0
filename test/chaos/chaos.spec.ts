import { describe, expect, it } from 'vitest';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { REDIS_KINDS } from './simulated-redis.js';
import { simulate, summaryOf } from './simulate.js';

/*
 * `npm run chaos -- --seed N --seconds S` says which and how long; `npm test` runs a little of one.
 */
const { POGO_CHAOS_SEED, POGO_CHAOS_SECONDS, POGO_CHAOS_REDIS } = process.env;
const seed = Number(POGO_CHAOS_SEED ?? 40);
const seconds = Number(POGO_CHAOS_SECONDS ?? 12);
/** For the rounds to settle: twice as long as they last, and more. */
const TIMEOUT_MS = START_TIMEOUT_MS + 60_000 + seconds * 3_000;

const print = (line: string): void => {
  if (POGO_CHAOS_SECONDS !== undefined) process.stdout.write(`${line}\n`);
};

const kinds = REDIS_KINDS.filter((kind) => POGO_CHAOS_REDIS === undefined || POGO_CHAOS_REDIS === kind);

describe.each(kinds)('three nodes and a Redis in trouble (%s)', (redis) => {
  it(
    `are right again when it is over (seed ${seed}, ${seconds} s)`,
    async () => {
      const journal = await simulate({ seed, seconds, redis, print });
      for (const line of summaryOf(journal)) print(line);
      expect(journal.violations.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
