import { join } from 'node:path';
import { ROOT } from './checkout.js';
import { onceInRun } from './once-in-run.js';
import { Running } from './process.js';
import { mortal } from './redis.js';

/** For a hook that may be the first to want it, on a machine whose cores are busy with other tests. */
export const BUILD_TIMEOUT_MS = 240_000;

/**
 * Builds what `node dist/apps/gateway/src/main.js` runs, once in a run of the tests, whichever file asks first; the
 * others wait. Tests that build otherwise do so in a checkout of their own.
 */
export async function buildOnce(): Promise<void> {
  await onceInRun('build', BUILD_TIMEOUT_MS, build);
}

/** @throws Error with what the compiler said. */
async function build(): Promise<null> {
  const nest = join(ROOT, 'node_modules/@nestjs/cli/bin/nest.js');
  const running = new Running(...mortal(process.execPath, [nest, 'build', 'gateway']), { cwd: ROOT });
  const { code } = await running.ending;
  if (code !== 0) throw new Error(`nest build gateway has failed:\n${running.output}`);
  return null;
}
