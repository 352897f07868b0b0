import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { duration, flag, integer, list, oneOf, rate, size, text } from './fields.js';

/** The value that a field reads, or the sentence that says what would have been right. */
function read(field: z.ZodType, value: unknown): unknown {
  const parsed = field.safeParse(value);
  return parsed.success ? parsed.data : { error: parsed.error.issues.map(({ message }) => message).join('; ') };
}

describe('A text', () => {
  it('is taken without the blanks around it', () => {
    expect(read(text(), '  a b ')).toBe('a b');
    expect(read(text(), 7)).toBe('7');
  });

  it.each(['', '   '])('must not be empty as %j is', (value) => {
    expect(read(text(), value)).toEqual({ error: 'must be a non-empty text' });
  });

  it.each([null, undefined, {}, ['a']])('is not %j', (value) => {
    expect(read(text(), value)).toEqual({ error: 'must be a single value' });
  });
});

describe('A whole number', () => {
  it.each([
    ['0', 0],
    ['65535', 65_535],
    [' 8080 ', 8_080],
    [7, 7],
  ])('is read from %j', (value, expected) => {
    expect(read(integer(0, 65_535), value)).toBe(expected);
  });

  it.each(['', ' ', 'x', '1.5', '-1', '65536', '1,000', 'NaN', 'Infinity', '8080;', true, 1.5, -1])(
    'is not %j, and the range is named',
    (value) => {
      expect(read(integer(0, 65_535), value)).toEqual({ error: 'must be a whole number from 0 to 65535' });
    },
  );

  it('may have a lower bound only', () => {
    expect(read(integer(1), '123456789')).toBe(123_456_789);
    expect(read(integer(1), '0')).toEqual({ error: 'must be a whole number from 1' });
  });
});

describe('A rate', () => {
  it.each<[unknown, number | undefined]>([
    ['50', 50],
    ['0.5', 0.5],
    [2, 2],
    ['0', 20],
    [0, 20],
    ['-0', 20],
    ['-1', undefined],
    ['-0.1', undefined],
    [-7, undefined],
  ])('of %j means %j when the default is 20', (value, expected) => {
    expect(read(rate(20), value)).toBe(expected);
  });

  it('of 0 is off when off is the default', () => {
    expect(read(rate('off'), '0')).toBeUndefined();
    expect(read(rate('off'), '3')).toBe(3);
  });

  it.each(['', 'x', 'off', 'NaN', 'Infinity', '10/s', true])('is not %j', (value) => {
    expect(read(rate(20), value)).toEqual({ error: 'must be a number (0 = the default, negative = off)' });
  });
});

describe('A duration', () => {
  it.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['2h', 7_200_000],
    [' 1s ', 1_000],
  ])('of %j is %i ms', (value, expected) => {
    expect(read(duration(), value)).toBe(expected);
  });

  it.each([
    '',
    '10',
    10,
    '10 s',
    '-1s',
    '0s',
    '0.4ms',
    '10S',
    '1d',
    's',
    '1s2',
    '1m30s',
    '1e3s',
    '.5s',
    '597h',
    '9999999999s',
    true,
  ])('is not %j, for it has no unit, no amount or no length', (value) => {
    expect(read(duration(), value)).toEqual({
      error: 'must be a duration such as 500ms, 10s or 5m (at least 1ms, at most 596h)',
    });
  });

  it('may have a shortest value, which is named', () => {
    expect(read(duration(1_000), '1s')).toBe(1_000);
    expect(read(duration(1_000), '999ms')).toEqual({
      error: 'must be a duration such as 500ms, 10s or 5m (at least 1000ms, at most 596h)',
    });
  });
});

describe('A size', () => {
  it.each([
    ['65536', 65_536],
    [65_536, 65_536],
    ['1b', 1],
    ['64KiB', 65_536],
    ['64 kib', 65_536],
    ['2MiB', 2_097_152],
    ['1.5MiB', 1_572_864],
    ['1kB', 1_000],
    ['1MB', 1_000_000],
  ])('of %j is %i bytes', (value, expected) => {
    expect(read(size(), value)).toBe(expected);
  });

  it.each(['', '0', '-1', 'x', '1 GB', '1KiBs', 'KiB', true])('is not %j', (value) => {
    expect(read(size(), value)).toEqual({ error: 'must be a size in bytes such as 65536, 64KiB or 2MiB (at least 1)' });
  });
});

describe('A choice', () => {
  it('is one of a few words, in whatever case', () => {
    expect(read(oneOf('disconnect', 'drop'), 'drop')).toBe('drop');
    expect(read(oneOf('disconnect', 'drop'), ' Disconnect ')).toBe('disconnect');
  });

  it.each(['', 'dropped', '1'])('is not %j, and all words are named', (value) => {
    expect(read(oneOf('disconnect', 'drop'), value)).toEqual({ error: 'must be one of disconnect, drop' });
  });
});

describe('A flag', () => {
  it.each(['1', 'true', 'on', ' ON ', 'True', true, 1])('is set by %j', (value) => {
    expect(read(flag(), value)).toBe(true);
  });

  it.each(['0', 'false', 'off', 'OFF', false, 0])('is not set by %j', (value) => {
    expect(read(flag(), value)).toBe(false);
  });

  it.each(['', 'yes', 'no', '2', 'enabled'])('is not %j, and all words are named', (value) => {
    expect(read(flag(), value)).toEqual({ error: 'must be 1, true or on, or 0, false or off' });
  });
});

describe('A list', () => {
  it('is separated by commas, or a list already', () => {
    expect(read(list(), 'a, b ,c')).toEqual(['a', 'b', 'c']);
    expect(read(list(), ['a ', 'b'])).toEqual(['a', 'b']);
    expect(read(list(), ' a,, ')).toEqual(['a']);
    expect(read(list(), '')).toEqual([]);
  });

  it.each([1, true, {}, null, [1]])('is not %j', (value) => {
    expect(read(list(), value)).toEqual({ error: 'must be a list' });
  });
});
