import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rawMember } from './json-text.js';

const DEEP = 100_000;

/** White space that JSON allows between tokens. */
const space = fc.constantFrom('', '', '', ' ', '\n', '\t\r ', '  \n  ');

/** A string's JSON text, its characters escaped in any of the ways that JSON allows. */
const stringText = (value: fc.Arbitrary<string>) =>
  fc.tuple(value, fc.infiniteStream(fc.boolean())).map(([text, isEscaped]) => {
    const units = text.split('').map((unit) => {
      const hex = `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
      return isEscaped.next().value === true ? hex : JSON.stringify(unit).slice(1, -1);
    });
    return `"${units.join('')}"`;
  });

const awkward = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', '/', '\n', 'é', '\ud83d', '\u2028') }),
);
const keys = fc.constantFrom('data', 'dat', 'data ', 'user_info', '__proto__', 'constructor', '', '"', '\\', 'é');

interface MemberText {
  readonly key: string;
  readonly value: string;
}
interface ObjectText {
  readonly text: string;
  readonly members: readonly MemberText[];
}

/** Texts of JSON objects, with repeated and escaped keys, any white space, and nested values of every kind. */
const { object } = fc.letrec<{ value: string; object: ObjectText }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('null', 'true', 'false', '0', '-0', '1.0', '1e400', '-12E-3', '18446744073709551616'),
    stringText(awkward),
    fc
      .tuple(fc.array(fc.tuple(space, tie('value'), space), { maxLength: 4 }), space)
      .map(([items, inner]) => `[${items.length === 0 ? inner : items.map((parts) => parts.join('')).join(',')}]`),
    tie('object').map(({ text }) => text),
  ),
  object: fc
    .array(
      fc.record({
        pads: fc.tuple(space, space, space, space),
        key: fc.oneof(keys, awkward).chain((key) => fc.tuple(fc.constant(key), stringText(fc.constant(key)))),
        value: tie('value'),
      }),
      { maxLength: 6 },
    )
    .chain((members) =>
      space.map((inner) => ({
        members: members.map(({ key: [key], value }) => ({ key, value })),
        text: `{${
          members.length === 0
            ? inner
            : members
                .map(({ pads: [a, b, c, d], key: [, keyText], value }) => `${a}${keyText}${b}:${c}${value}${d}`)
                .join(',')
        }}`,
      })),
    ),
}));

describe('rawMember', () => {
  it('cuts out the very characters of the last member with that key, or nothing', () => {
    fc.assert(
      fc.property(object, keys, space, space, ({ text, members }, key, before, after) => {
        const last = members.filter((member) => member.key === key).at(-1);
        expect(rawMember(before + text + after, key)).toBe(last?.value);
      }),
      { numRuns: 2_000 },
    );
  });

  it('agrees with JSON.parse about what the member is', () => {
    fc.assert(
      fc.property(object, keys, ({ text }, key) => {
        const parsed = JSON.parse(text) as Record<string, unknown>;
        const raw = rawMember(text, key);
        expect(raw !== undefined).toBe(Object.hasOwn(parsed, key));
        if (raw === undefined) return;
        expect(JSON.stringify(JSON.parse(raw))).toBe(
          JSON.stringify(Object.getOwnPropertyDescriptor(parsed, key)?.value),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives back any JSON value as JSON.stringify wrote it, however it is laid out', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (data, other, indent) => {
        const text = JSON.stringify({ other, data, last: other }, null, indent);
        expect(JSON.parse(rawMember(text, 'data') ?? '')).toEqual(JSON.parse(JSON.stringify(data)));
      }),
    );
  });

  it.each([
    ['arrays', '['.repeat(DEEP) + ']'.repeat(DEEP)],
    ['objects', '{"a":'.repeat(DEEP) + '1' + '}'.repeat(DEEP)],
    ['objects that repeat the key', '{"data":'.repeat(DEEP) + '1' + '}'.repeat(DEEP)],
    ['arrays of objects', '[{"a":'.repeat(DEEP / 2) + '"}]"' + '}]'.repeat(DEEP / 2)],
  ])('walks over a hundred thousand nested %s without recursion', (_kind, deep) => {
    expect(rawMember(`{"before":${deep},"data":1}`, 'data')).toBe('1');
    expect(rawMember(`{"data":${deep},"after":1}`, 'data')).toBe(deep);
    expect(rawMember(`{"before":${deep}}`, 'data')).toBeUndefined();
  });

  it('walks over a hundred thousand keys', () => {
    const many = Array.from({ length: DEEP }, (_, i) => `"k\\u0061${i}":${i}`).join(',');
    expect(rawMember(`{${many},"data":"last"}`, 'data')).toBe('"last"');
    expect(rawMember(`{"data":"first",${many}}`, 'data')).toBe('"first"');
  });
});
