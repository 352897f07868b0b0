// `npm run chaos -- --seed N --seconds S`: a cluster in trouble, as test/chaos simulates it. A seed repeats a run's
// decisions; without one a new one is taken, and printed. `--redis` says what connects the nodes.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { ensureInstalled, inPackages, requireNode, run } from './lib/project.mjs';
import { ensureRedis } from './lib/redis.mjs';

const USAGE = 'npm run chaos -- [--seed N] [--seconds S] [--redis single|cluster|sentinel]';
const KINDS = ['single', 'cluster', 'sentinel'];
const MOST_SECONDS = 86_400;
const MOST_SEED = 2 ** 32 - 1;

requireNode();
const { seed, seconds, redis: kind } = readOptions();
await ensureInstalled();
const redis = await ensureRedis();
if (redis.POGO_TEST_REDIS_PROBLEM !== undefined) process.exit(1);

process.stdout.write(`seed ${seed}, ${seconds} seconds of trouble, Redis: ${kind}\n`);
const vitest = [inPackages('vitest', 'vitest.mjs'), 'run', '--disableConsoleIntercept', 'test/chaos/chaos.spec.ts'];
const chaos = { POGO_CHAOS_SEED: String(seed), POGO_CHAOS_SECONDS: String(seconds), POGO_CHAOS_REDIS: kind };
process.exit(await run(process.execPath, vitest, { env: { ...process.env, ...redis, ...chaos } }));

function readOptions() {
  const options = {
    seed: { type: 'string' },
    seconds: { type: 'string' },
    redis: { type: 'string', default: 'single' },
  };
  try {
    const { values } = parseArgs({ options });
    if (!KINDS.includes(values.redis)) throw new Error(`--redis must be one of ${KINDS.join(', ')}.`);
    return {
      redis: values.redis,
      seed: wholeNumber('--seed', values.seed ?? String(randomInt(MOST_SEED)), 0, MOST_SEED),
      seconds: wholeNumber('--seconds', values.seconds ?? '60', 1, MOST_SECONDS),
    };
  } catch (error) {
    process.stderr.write(`${error.message}\nUsage: ${USAGE}\n`);
    process.exit(2);
  }
}

function wholeNumber(name, text, least, most) {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new Error(`${name} must be a whole number from ${least} to ${most}, and not "${text}".`);
}
