import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, exceedsBytes, MAX_SIGNED_IN_USER_ID_BYTES } from './limits.js';

it('The defaults are the documented ones', () => {
  expect(DEFAULT_LIMITS).toEqual({
    maxEventBytes: 262_144,
    maxEventNameLength: 200,
    maxChannelNameLength: 200,
    presenceMaxMembers: 100,
    presenceMaxUserInfoBytes: 2_048,
    presenceMaxUserIdLength: 128,
  });
  expect(MAX_SIGNED_IN_USER_ID_BYTES).toBe(128);
});

describe('A text is too long', () => {
  it.each([
    ['of ASCII', 'a', 1],
    ['of two bytes each', 'é', 2],
    ['of three bytes each', '€', 3],
    ['of a pair of surrogates each', '😀', 4],
    ['of a lone surrogate each', '\ud800', 3],
  ])('when its characters (%s) have one byte more than the limit', (_what, character, bytes) => {
    const text = character.repeat(50);
    expect(exceedsBytes(text, bytes * 50)).toBe(false);
    expect(exceedsBytes(text, bytes * 50 - 1)).toBe(true);
  });

  it('never when it is empty, and always when it has a byte and may have none', () => {
    expect(exceedsBytes('', 0)).toBe(false);
    expect(exceedsBytes('a', 0)).toBe(true);
  });

  it('exactly when its UTF-8 is, for every text and limit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(40), (text, max) => {
        expect(exceedsBytes(text, max)).toBe(new TextEncoder().encode(text).length > max);
      }),
    );
  });
});
