import { join } from 'node:path';
import { run } from '../../apps/gateway/src/cli/program.js';
import { ROOT } from './checkout.js';

/** The bin of the package, once it is built. */
export const BIN = join(ROOT, 'dist/apps/gateway/src/cli/main.js');

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The command in this process, with nothing of this process's environment. */
export async function pogo(
  args: readonly string[],
  environment: Record<string, string> = {},
  input = '',
): Promise<Ran> {
  let [out, err] = ['', ''];
  const code = await run(args, {
    environment,
    out: (text) => (out += text),
    err: (text) => (err += text),
    readInput: () => Promise.resolve(input),
  });
  return { code, out, err };
}
