import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Checkout } from './checkout.js';
import { CACHE, onceInRun, RUN } from './once-in-run.js';

const execute = promisify(execFile);

/** For a hook that packs, which compiles, and installs, which asks the registry for what npm has not cached. */
export const INSTALL_TIMEOUT_MS = 600_000;

const PACK_TIMEOUT_MS = 400_000;
const FOLDER = join(CACHE, 'pogo-test-packages');
/** No run takes as long, so nobody installs from it any more. */
const OLD_MS = 2 * 3_600_000;

export interface Packed {
  /** The tarball. It is for reading: other files of the run install it as well. */
  readonly path: string;
  /** What is in it. */
  readonly files: readonly { readonly path: string }[];
}

/** The package as `npm pack` makes it, once in a run of the tests, whichever file asks first. */
export function packOnce(): Promise<Packed> {
  return onceInRun('package', PACK_TIMEOUT_MS, pack);
}

async function pack(): Promise<Packed> {
  removeOld();
  const folder = join(FOLDER, RUN);
  mkdirSync(folder, { recursive: true });
  const checkout = await Checkout.create();
  try {
    const { stdout } = await execute('npm', ['pack', '--json', '--pack-destination', folder], { cwd: checkout.path });
    // What `prepack` prints comes before it.
    const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [Packed & { filename: string }];
    return { path: join(folder, filename), files };
  } finally {
    await checkout.remove();
  }
}

/** Installs the tarball in `folder`, beside what its package.json and lock file ask for. */
export async function installPacked(folder: string): Promise<void> {
  const { path } = await packOnce();
  await execute('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', path], { cwd: folder });
}

function removeOld(): void {
  mkdirSync(FOLDER, { recursive: true });
  for (const name of readdirSync(FOLDER)) {
    const path = join(FOLDER, name);
    if (Date.now() - statSync(path).mtimeMs > OLD_MS) rmSync(path, { recursive: true, force: true });
  }
}
