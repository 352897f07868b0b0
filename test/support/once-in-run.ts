import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from './checkout.js';

/**
 * What tests keep from one run to the next. Worktrees may share their node_modules, but not what is built in them: each has
 * its own, or two runs at the same time would let each other build anew what the other's gateways are starting from.
 */
export const CACHE = join(
  ROOT,
  'node_modules/.cache',
  `pogo-${createHash('sha256').update(ROOT).digest('hex').slice(0, 12)}`,
);

interface Result<T> {
  readonly run: string;
  readonly value?: T;
  /** What was said, when it has failed. */
  readonly failure?: string;
}

/** Of this run of the tests; set by vitest.config.ts. */
export const RUN = process.env['POGO_TEST_RUN'] ?? '';

const begun = new Map<string, Promise<unknown>>();

/**
 * What `make` resolves to, which is JSON; made once in a run of the tests, whichever file asks first. The others wait.
 * @param timeoutMs who takes longer is dead.
 */
export function onceInRun<T>(name: string, timeoutMs: number, make: () => Promise<T>): Promise<T> {
  const promise = begun.get(name) ?? makeUnlessMade(name, timeoutMs, make);
  begun.set(name, promise);
  return promise as Promise<T>;
}

async function makeUnlessMade<T>(name: string, timeoutMs: number, make: () => Promise<T>): Promise<T> {
  mkdirSync(CACHE, { recursive: true });
  const path = join(CACHE, `pogo-test-${name}.json`);
  const unlock = await lock(join(CACHE, `pogo-test-${name}.lock`), timeoutMs);
  try {
    let result = read<T>(path);
    if (result?.run !== RUN) {
      result = { run: RUN, ...(await outcome(make)) };
      writeFileSync(path, JSON.stringify(result));
    }
    if (result.failure !== undefined) throw new Error(result.failure);
    return result.value as T;
  } finally {
    unlock();
  }
}

async function outcome<T>(make: () => Promise<T>): Promise<Pick<Result<T>, 'value' | 'failure'>> {
  try {
    return { value: await make() };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

function read<T>(path: string): Result<T> | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Result<T>;
  } catch {
    return undefined;
  }
}

/** Resolves to what gives it back. A link is made and says whose it is in one step; who has died holds nothing. */
async function lock(path: string, timeoutMs: number): Promise<() => void> {
  for (;;) {
    try {
      symlinkSync(String(process.pid), path);
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (isAbandoned(path, timeoutMs)) rmSync(path, { force: true });
    else await sleep(50);
  }
}

function isAbandoned(path: string, timeoutMs: number): boolean {
  try {
    process.kill(Number(readlinkSync(path)), 0);
    // By now the number may be another process's.
    return Date.now() - lstatSync(path).mtimeMs > timeoutMs;
  } catch (error) {
    // Given back in this moment, or of another user, are no reasons to take it.
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
