import { isUtf8 } from 'node:buffer';
import { readFileSync, statSync, type Stats } from 'node:fs';
import { basename } from 'node:path';
import { isMap, LineCounter, parseDocument } from 'yaml';

/** Tens of thousands of apps. */
const MAX_BYTES = 16_777_216;

/** A configuration file as it was read: texts, lists and maps of them. */
export interface ConfigFile {
  /** Its name without folders, for messages. */
  readonly name: string;
  readonly entries: Readonly<Record<string, unknown>>;
}

export interface ConfigFileResult {
  readonly file: ConfigFile | undefined;
  /** A sentence each; what stands in the file is not quoted, it may be a secret. */
  readonly problems: readonly string[];
}

/** Changes when the file may say something else, or may be read at last; undefined for what is no file, such as a pipe. */
export function stampOf(stats: Stats): string | undefined {
  const { dev, ino, size, ctimeMs } = stats;
  return stats.isFile() ? [dev, ino, size, ctimeMs].join(' ') : undefined;
}

/** Of the file as it is now. */
export function stampAt(path: string): string | undefined {
  try {
    return stampOf(statSync(path));
  } catch {
    return undefined;
  }
}

/**
 * Reads a file in YAML or JSON, which is YAML. Scalars stay the text that they are written as: a secret of digits only
 * keeps its zeros, and settings read text anyway.
 */
export function readConfigFile(path: string): ConfigFileResult {
  const name = basename(path);
  const failed = (...problems: string[]) => ({ file: undefined, problems });
  let bytes: Buffer;
  try {
    const { size } = statSync(path);
    if (size > MAX_BYTES) return failed(`${path}: the file has ${size} bytes, ${MAX_BYTES} at most are read`);
    bytes = readFileSync(path);
  } catch (error) {
    return failed(`${path}: the configuration file cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  // A secret with a sign that was replaced would be another one.
  if (!isUtf8(bytes)) return failed(`${path}: must be in UTF-8; editors and PowerShell can save it so`);
  const lines = new LineCounter();
  // Nothing in it is of a type, and nothing is repeated by reference.
  const document = parseDocument(bytes.toString(), {
    schema: 'failsafe',
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  });
  if (document.errors.length > 0) {
    return failed(
      ...document.errors.map(({ pos: [at], code }) => {
        const { line, col } = lines.linePos(at);
        const hint = code === 'BAD_ALIAS' ? '; a text that begins with * stands in quotes' : '';
        return `${path} line ${line}, column ${col}: not valid YAML (${code.toLowerCase().replaceAll('_', ' ')})${hint}`;
      }),
    );
  }
  if (document.contents === null) return { file: { name, entries: {} }, problems: [] };
  if (!isMap(document.contents))
    return failed(`${path}: must be a list of "setting: value", not a single value or a list`);
  try {
    return { file: { name, entries: withoutEmpty(document.toJS({ maxAliasCount: 100 })) }, problems: [] };
  } catch (error) {
    // Nobody means an alias who writes `- *.example.com`.
    return failed(
      error instanceof ReferenceError && error.message.startsWith('Unresolved alias')
        ? `${path}: a text that begins with * stands in quotes, such as "*.example.com": it is an alias otherwise`
        : `${path}: too many aliases`,
    );
  }
}

/** `key:` and `key: null` say "not set", as an empty variable does. */
function withoutEmpty(value: unknown): Readonly<Record<string, unknown>> {
  const entries = Object.entries(value as object) as [string, unknown][];
  return Object.fromEntries(entries.filter(([, entry]) => !isEmpty(entry)));
}

export function isEmpty(value: unknown): boolean {
  return value === '' || value === '~' || value === 'null' || value === null || value === undefined;
}
