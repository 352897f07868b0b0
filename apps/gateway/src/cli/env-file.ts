import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { Environment } from '../config/load-config.js';
import { CliError, ExitCode } from './context.js';

/** The variables of a `.env`; none when there is no path. @throws CliError when it cannot be read. */
export function readEnvFile(path: string | undefined): Environment {
  if (path === undefined) return {};
  try {
    return parseEnv(readFileSync(path, 'utf8'));
  } catch (error) {
    const { code = 'malformed' } = error as NodeJS.ErrnoException;
    throw new CliError(`${path} cannot be read (${code})`, ExitCode.usage);
  }
}
