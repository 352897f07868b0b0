import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { Environment } from '../config/load-config.js';
import { CliError, ExitCode } from './context.js';

/** A name in a value, as Laravel has them: `VITE_REVERB_HOST="${REVERB_HOST}"`. */
const NESTED = /(?<!\\)\$\{([\w.]+)\}/g;

/**
 * The variables of a `.env` as Laravel reads them; none when there is no path. @param environment counts more where a value
 * names another one. @throws CliError when it cannot be read.
 */
export function readEnvFile(path: string | undefined, environment: Environment): Environment {
  if (path === undefined) return {};
  try {
    // Editors of Windows begin it with a mark, which would be part of the first name.
    const entries = Object.entries(parseEnv(readFileSync(path, 'utf8').replace(/^\uFEFF/, '')));
    const values: Record<string, string> = {};
    for (const [name, value = ''] of entries) {
      values[name] = value.replace(NESTED, (text, other: string) => environment[other] ?? values[other] ?? text);
    }
    return values;
  } catch (error) {
    const { code = 'malformed' } = error as NodeJS.ErrnoException;
    throw new CliError(`${path} cannot be read (${code})`, ExitCode.usage);
  }
}
