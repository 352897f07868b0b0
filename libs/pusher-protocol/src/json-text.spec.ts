import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rawMember } from './json-text.js';

describe('The raw text of a member', () => {
  it.each([
    ['{"data":1.0}', '1.0'],
    ['{"data":-0}', '-0'],
    ['{"data":1E400}', '1E400'],
    ['{"data":12345678901234567890}', '12345678901234567890'],
    ['{"data":"\\u00e9\\n\\""}', '"\\u00e9\\n\\""'],
    ['{"data":"}]"}', '"}]"'],
    ['{"data":"\\\\"}', '"\\\\"'],
    ['{"data":null}', 'null'],
    ['{"data":true }', 'true'],
    ['{"data":[1,[2,{"data":3}]]}', '[1,[2,{"data":3}]]'],
    ['{"data":{"a":"}","b":["]"]}}', '{"a":"}","b":["]"]}'],
    ['{"data":{ "a" : 1 }}', '{ "a" : 1 }'],
    [' \r\n\t{ "data" \n:\t 7 \r, "x":1 } ', '7'],
    ['{"x":{"data":1},"data":2}', '2'],
    ['{"x":"\\"data\\":1","data":2}', '2'],
    ['{"x":[{"data":1}],"data":2}', '2'],
    ['{"data":{},"x":1}', '{}'],
    ['{"data":[]}', '[]'],
  ])('of data in %s is %s', (json, expected) => {
    expect(rawMember(json, 'data')).toBe(expected);
  });

  it.each(['{}', '{ }', '{"x":1}', '{"x":{"data":1}}', '{"x":"data"}', '{"Data":1}', '{"data ":1}', '{"":1}'])(
    'of data in %s does not exist',
    (json) => {
      expect(rawMember(json, 'data')).toBeUndefined();
    },
  );

  it('of a repeated key is the last one, as JSON.parse has it', () => {
    expect(rawMember('{"data":1,"data":2,"x":3}', 'data')).toBe('2');
    expect(rawMember('{"data":1,"d\\u0061ta":2}', 'data')).toBe('2');
  });

  it('is found when its key is written with escapes', () => {
    expect(rawMember('{"\\u0064ata":1}', 'data')).toBe('1');
    expect(rawMember('{"a\\"b":1,"c\\\\":2}', 'a"b')).toBe('1');
    expect(rawMember('{"a\\"b":1,"c\\\\":2}', 'c\\')).toBe('2');
  });

  it('is found for keys that every object has', () => {
    expect(rawMember('{"__proto__":1}', '__proto__')).toBe('1');
    expect(rawMember('{}', '__proto__')).toBeUndefined();
    expect(rawMember('{}', 'toString')).toBeUndefined();
  });

  it('is found at any depth of nesting', () => {
    const deep = '{"a":'.repeat(100_000) + '[]' + '}'.repeat(100_000);
    expect(rawMember(`{"x":${deep},"data":${deep}}`, 'data')).toBe(deep);
  });

  it('means, for every object and however it is indented, what JSON.parse says', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), fc.nat(3), (object, other, indent) => {
        const json = JSON.stringify(object, null, indent);
        for (const [key, value] of Object.entries(JSON.parse(json) as Record<string, unknown>)) {
          expect(JSON.parse(rawMember(json, key) ?? 'undefined')).toEqual(value);
        }
        expect(rawMember(json, other) === undefined).toBe(!Object.hasOwn(object, other));
      }),
    );
  });
});
