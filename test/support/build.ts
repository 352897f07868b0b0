import { lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from './checkout.js';
import { Running } from './process.js';
import { mortal } from './redis.js';

/** For a hook that may be the first to want it, on a machine whose cores are busy with other tests. */
export const BUILD_TIMEOUT_MS = 120_000;

const FOLDER = join(ROOT, 'node_modules/.cache');
const LOCK = join(FOLDER, 'pogo-test-build.lock');
const RESULT = join(FOLDER, 'pogo-test-build.json');

interface Result {
  readonly run: string;
  /** What the compiler said, when it has failed. */
  readonly failure?: string;
}

let building: Promise<void> | undefined;

/**
 * Builds what `node dist/apps/gateway/src/main.js` runs, once in a run of the tests, whichever file asks first; the
 * others wait. Tests that build otherwise do so in a checkout of their own.
 */
export function buildOnce(): Promise<void> {
  building ??= buildUnlessBuilt();
  return building;
}

async function buildUnlessBuilt(): Promise<void> {
  // Set by vitest.config.ts.
  const run = process.env['POGO_TEST_RUN'] ?? '';
  const unlock = await lock();
  try {
    let result = lastResult();
    if (result?.run !== run) {
      result = { run, ...(await build()) };
      writeFileSync(RESULT, JSON.stringify(result));
    }
    if (result.failure !== undefined) throw new Error(result.failure);
  } finally {
    unlock();
  }
}

async function build(): Promise<Pick<Result, 'failure'>> {
  const nest = join(ROOT, 'node_modules/@nestjs/cli/bin/nest.js');
  const running = new Running(...mortal(process.execPath, [nest, 'build', 'gateway']), { cwd: ROOT });
  const { code } = await running.ending;
  return code === 0 ? {} : { failure: `nest build gateway has failed:\n${running.output}` };
}

function lastResult(): Result | undefined {
  try {
    return JSON.parse(readFileSync(RESULT, 'utf8')) as Result;
  } catch {
    return undefined;
  }
}

/** Resolves to what gives it back. A link is made and says whose it is in one step; who has died holds nothing. */
async function lock(): Promise<() => void> {
  mkdirSync(FOLDER, { recursive: true });
  for (;;) {
    try {
      symlinkSync(String(process.pid), LOCK);
      return () => rmSync(LOCK, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (isAbandoned()) rmSync(LOCK, { force: true });
    else await sleep(50);
  }
}

function isAbandoned(): boolean {
  try {
    process.kill(Number(readlinkSync(LOCK)), 0);
    // By now the number may be another process's.
    return Date.now() - lstatSync(LOCK).mtimeMs > BUILD_TIMEOUT_MS;
  } catch (error) {
    // Given back in this moment, or of another user, are no reasons to take it.
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
