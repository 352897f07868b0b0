import { z } from 'zod';

/*
 * The kinds of value a setting can have. Each takes the text of an environment variable as well as the native value of
 * a configuration file, and says in one sentence what would have been right.
 */

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;
const DURATION_UNIT_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const SIZE = /^(\d+(?:\.\d+)?)\s*(|b|kib|mib|kb|mb)$/i;
const SIZE_UNIT: Record<string, number> = { '': 1, b: 1, kb: 1_000, mb: 1_000_000, kib: 1_024, mib: 1_048_576 };

type Scalar = string | number | boolean;
const scalar = z.union([z.string(), z.number(), z.boolean()], { error: 'must be a single value' });

/** A field that `read` turns into a T, or into undefined when the value is not `expected`. */
function field<T>(expected: string, read: (value: Scalar) => T | undefined) {
  return scalar.transform((value, context) => {
    const result = read(typeof value === 'string' ? value.trim() : value);
    if (result !== undefined) return result;
    context.addIssue({ code: 'custom', message: `must be ${expected}` });
    return z.NEVER;
  });
}

export const text = () => field('a non-empty text', (value) => (value === '' ? undefined : String(value)));

/** A text that `read` understands. */
export const parsed = <T>(expected: string, read: (text: string) => T | undefined) =>
  field(expected, (value) => read(String(value)));

export const integer = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  field(
    max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`,
    (value) => {
      const number = value === '' || typeof value === 'boolean' ? NaN : Number(value);
      return Number.isInteger(number) && number >= min && number <= max ? number : undefined;
    },
  );

/** A port to listen on, 0 being any free one, or none. */
export const portOrOff = () =>
  field('a port from 0 to 65535, or off', (value): number | 'off' | undefined => {
    if (value === false || /^(?:off|false)$/i.test(String(value))) return 'off';
    const port = value === '' || value === true ? NaN : Number(value);
    return Number.isInteger(port) && port >= 0 && port <= 65_535 ? port : undefined;
  });

/** A rate: 0 means the default, a negative one "off" (undefined), and nothing lies between 0 and `min`. */
export const rate = (whenZero: number | 'off', min = 0) =>
  field(
    `a number${min === 0 ? '' : ` from ${min}`} (0 = the default, negative = off)`,
    (value): { perSecond: number | undefined } | undefined => {
      const number = value === '' || typeof value === 'boolean' ? NaN : Number(value);
      if (!Number.isFinite(number) || (number > 0 && number < min)) return undefined;
      const perSecond = number === 0 ? whenZero : number;
      return { perSecond: perSecond === 'off' || perSecond < 0 ? undefined : perSecond };
    },
  ).transform(({ perSecond }) => perSecond);

/** A timer takes no more: it would fire at once. */
const MAX_DURATION_MS = 2 ** 31 - 1;

/** Milliseconds. */
export const duration = (minMs = 1) =>
  field(`a duration such as 500ms, 10s or 5m (at least ${minMs}ms, at most 596h)`, (value) => {
    const [, amount, unit] = DURATION.exec(String(value)) ?? [];
    const ms = Number(amount) * (DURATION_UNIT_MS[unit ?? ''] ?? NaN);
    return ms >= minMs && ms <= MAX_DURATION_MS ? Math.round(ms) : undefined;
  });

/** Bytes. */
export const size = (min = 1) =>
  field(`a size in bytes such as 65536, 64KiB or 2MiB (at least ${min})`, (value) => {
    const [, amount, unit] = SIZE.exec(String(value)) ?? [];
    const bytes = Number(amount) * (SIZE_UNIT[(unit ?? '').toLowerCase()] ?? NaN);
    return bytes >= min ? Math.round(bytes) : undefined;
  });

export const oneOf = <const T extends readonly string[]>(...choices: T) =>
  field(`one of ${choices.join(', ')}`, (value): T[number] | undefined =>
    choices.find((choice) => choice === String(value).toLowerCase()),
  );

const TRUE = new Set(['1', 'true', 'on']);
const FALSE = new Set(['0', 'false', 'off']);

/** Yes or no. */
export const flag = () =>
  field('1, true or on, or 0, false or off', (value) => {
    const word = String(value).toLowerCase();
    return TRUE.has(word) || (FALSE.has(word) ? false : undefined);
  });

/** Comma-separated, or a list in a file. */
export const list = () =>
  z
    .union([z.string(), z.array(z.string())], { error: 'must be a list' })
    .transform((value) =>
      (typeof value === 'string' ? value.split(',') : value)
        .map((entry) => entry.trim())
        .filter((entry) => entry !== ''),
    );

/** Some of `choices`, at least one. */
export const listOf = <const T extends readonly string[]>(...choices: T) =>
  list().transform((entries, context): T[number][] => {
    const known = entries.filter((entry): entry is T[number] => choices.includes(entry));
    if (known.length === entries.length && known.length > 0) return known;
    context.addIssue({ code: 'custom', message: `must be one or more of ${choices.join(', ')}` });
    return z.NEVER;
  });

/** What `read` makes of each entry, at least one. */
export const parsedList = <T>(expected: string, read: (text: string) => T | undefined) =>
  list().transform((entries, context): T[] => {
    const values = entries.map((entry) => read(entry)).filter((value) => value !== undefined);
    if (values.length === entries.length && values.length > 0) return values;
    context.addIssue({ code: 'custom', message: `must be ${expected}` });
    return z.NEVER;
  });
