import { cp, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** The folder of package.json. */
export const ROOT = join(import.meta.dirname, '../..');

const LEFT_OUT = new Set(['.git', 'node_modules', 'dist', 'coverage']);

/**
 * A copy of the project as somebody has it who has just cloned and installed it: nothing is built. A test that builds
 * does so there, so that tests that run at the same time do not write into each other's `dist`.
 */
export class Checkout {
  private constructor(readonly path: string) {}

  static async create(): Promise<Checkout> {
    // The real path, because that is what processes that run in it report.
    const path = await realpath(await mkdtemp(join(tmpdir(), 'pogo-checkout-')));
    await cp(ROOT, path, { recursive: true, filter: (source) => source === ROOT || !LEFT_OUT.has(basename(source)) });
    await symlink(join(ROOT, 'node_modules'), join(path, 'node_modules'));
    return new Checkout(path);
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
