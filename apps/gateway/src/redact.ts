import { inspect } from 'node:util';

const REDACTED = '<redacted>';
const MAX_DEPTH = 8;

/** Fields and headers whose value is a credential, whatever it looks like. */
const SECRET_NAMES = /^(?:auth|auth_signature|(?:proxy-)?authorization|(?:set-)?cookie|.*secret|.*password)$/i;

/** Credentials inside a sentence: signatures by their shape, parameters and headers by their name. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{64}\b/gi, REDACTED],
  [/(auth_signature=)[^&\s"']+/gi, `$1${REDACTED}`],
  [/\b((?:proxy-)?authorization|(?:set-)?cookie)(["']?\s*[:=]\s*)[^\r\n]+/gi, `$1$2${REDACTED}`],
];

/** Takes credentials out of whatever is about to be printed. The value itself is not changed. */
export class Redactor {
  /** Each secret as it is and as JSON would write it. */
  private readonly secrets = new Set<string>();

  constructor(secrets: readonly string[]) {
    this.add(secrets);
  }

  /** From now on these are secrets, too. */
  add(secrets: readonly string[]): void {
    for (const secret of secrets) this.secrets.add(secret).add(JSON.stringify(secret).slice(1, -1));
  }

  clean(value: unknown): unknown {
    return this.walk(value, 0, new Set());
  }

  cleanText(text: string): string {
    let left = text;
    for (const secret of this.secrets) left = left.replaceAll(secret, REDACTED);
    return PATTERNS.reduce((cleaned, [pattern, replacement]) => cleaned.replace(pattern, replacement), left);
  }

  private walk(value: unknown, depth: number, above: ReadonlySet<object>): unknown {
    if (typeof value === 'string') return this.cleanText(value);
    // Nest resolves lazy messages only after this.
    if (typeof value === 'function') return this.walk(resolved(value), depth, above);
    if (value instanceof Error) return this.cleanText(inspect(value, { depth: MAX_DEPTH }));
    if (typeof value === 'bigint') return String(value);
    if (typeof value !== 'object' || value === null) return value;
    if (above.has(value) || depth === MAX_DEPTH) return REDACTED;
    const path = new Set(above).add(value);
    if (Array.isArray(value))
      return value.map((entry, i) => this.element(value, i, () => this.walk(entry, depth + 1, path)));
    const entries = Object.entries(value).map(([key, entry]) => [
      this.cleanText(key),
      SECRET_NAMES.test(key) ? REDACTED : this.walk(entry, depth + 1, path),
    ]);
    return Object.fromEntries(entries) as object;
  }

  /** Raw headers are a flat list of names and values. */
  private element(list: readonly unknown[], index: number, walk: () => unknown): unknown {
    const before = list[index - 1];
    return typeof before === 'string' && SECRET_NAMES.test(before) ? REDACTED : walk();
  }
}

/** A class logs as its name, any other function as what it returns. */
function resolved(value: object): unknown {
  const callable = value as (() => unknown) & { readonly prototype?: unknown };
  return callable.prototype === undefined ? callable() : callable.name;
}
