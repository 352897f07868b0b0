import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChannelName, serverToUserChannel, type ChannelName } from './channel-name.js';

const PREFIXES = [
  '',
  'private-',
  'private-encrypted-',
  'presence-',
  'cache-',
  'private-cache-',
  'private-encrypted-cache-',
  'presence-cache-',
] as const;
const prefix = fc.constantFrom(...PREFIXES);
const letters = [...'ABCXYZabcxyz0189_-=@,.;'];
const legal = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 60 });
const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) });

function parsed(text: string): ChannelName {
  const channel = parseChannelName(text, 200);
  if (typeof channel === 'string') throw new Error(`${text} is ${channel}`);
  return channel;
}

describe('parseChannelName', () => {
  it('answers a channel of exactly that name, or a fault, for any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          fc.tuple(prefix, anyText).map(([a, b]) => a + b),
        ),
        (text) => {
          const channel = parseChannelName(text, 200);
          const isLegal = /^[A-Za-z0-9_\-=@,.;]+$/.test(text) && text.length <= 200;
          if (typeof channel === 'string') expect(isLegal).toBe(false);
          else expect({ name: channel.name, isLegal }).toEqual({ name: text, isLegal: true });
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('decides the kind by the exact prefix alone', () => {
    fc.assert(
      fc.property(prefix, legal, (start, rest) => {
        const { kind, isEncrypted, isCached } = parsed(start + rest);
        const text = start + rest;
        expect(kind === 'private').toBe(text.startsWith('private-'));
        expect(kind === 'presence').toBe(text.startsWith('presence-'));
        expect(isEncrypted).toBe(text.startsWith('private-encrypted-'));
        expect(isCached).toBe(/^(private-|private-encrypted-|presence-)?cache-/.test(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it('takes a prefix that follows anything else for a part of a public name', () => {
    fc.assert(
      fc.property(fc.constantFrom('x', '-', 'X.', '_'), prefix, legal, (first, start, rest) => {
        expect(parsed(first + start + rest)).toMatchObject({ kind: 'public', isEncrypted: false, isCached: false });
      }),
    );
  });

  it('finds in a server-to-user channel the user that it was made for, whatever the id', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ minLength: 1, maxLength: 40 }), fc.constantFrom('__proto__', '#', '/')),
        (id) => {
          fc.pre(Buffer.byteLength(id) <= 128);
          expect(parsed(serverToUserChannel(id))).toMatchObject({ kind: 'user', userId: id });
        },
      ),
    );
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', '0', '-1', '.', '..', ';', '='])(
    'takes %s for a public channel',
    (text) => expect(parsed(text)).toEqual({ name: text, kind: 'public', isEncrypted: false, isCached: false }),
  );

  it.each([
    '',
    ' ',
    'a b',
    'a/b',
    'a:b',
    'a\n',
    '\na',
    'a\u0000',
    'ä',
    '#a',
    '#server-to-user-',
    '#server-to-users-1',
    '💥',
  ])('takes %j for no channel', (text) => expect(parseChannelName(text, 200)).toBe('malformed'));

  it('counts bytes up to the limit and refuses one more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), (max) => {
        expect(parseChannelName('a'.repeat(max), max)).toMatchObject({ kind: 'public' });
        expect(parseChannelName('a'.repeat(max + 1), max)).toBe('too_long');
      }),
    );
  });
});
