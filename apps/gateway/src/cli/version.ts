import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Of the package. */
export const VERSION = versionAbove(dirname(fileURLToPath(import.meta.url)));

/** Sources and compiled files stand at different depths. */
function versionAbove(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    const found = parsed(join(at, 'package.json'));
    if (found?.name === 'pogo-gateway' && found.version !== undefined) return found.version;
    if (dirname(at) === at) return 'unknown';
  }
}

function parsed(path: string): { readonly name?: string; readonly version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as { name?: string; version?: string };
  } catch {
    return undefined;
  }
}
