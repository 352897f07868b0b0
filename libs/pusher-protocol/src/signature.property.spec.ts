import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  equalsInConstantTime,
  httpSigningText,
  signChannel,
  signHttpRequest,
  signUser,
  verifyChannelSignature,
  verifyUserSignature,
  type QueryPairs,
} from './signature.js';
import { createSocketId, isSocketId } from './socket-id.js';

const APP = { key: 'key', secret: 'secret' };
const text = fc.string({ unit: 'grapheme' });
const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) });
const channel = fc.stringMatching(/^[A-Za-z0-9_\-=@,.;]{1,40}$/);
const socketId = fc.constant(0).map(createSocketId);

describe('signatures', () => {
  it('verify what was signed, and nothing in which a part differs', () => {
    fc.assert(
      fc.property(socketId, channel, fc.option(text, { nil: undefined }), channel, (id, name, data, other) => {
        const auth = signChannel(APP, id, name, data);
        expect(verifyChannelSignature(APP, auth, id, name, data)).toBe(true);
        expect(verifyChannelSignature(APP, auth, id, `${name}x`, data)).toBe(false);
        expect(verifyChannelSignature(APP, auth, createSocketId(), name, data)).toBe(false);
        expect(verifyChannelSignature(APP, auth, id, name, `${data ?? ''}x`)).toBe(false);
        expect(verifyChannelSignature({ ...APP, secret: 'other' }, auth, id, name, data)).toBe(false);
        expect(verifyChannelSignature({ ...APP, key: 'other' }, auth, id, name, data)).toBe(false);
        if (other !== name) expect(verifyChannelSignature(APP, auth, id, other, data)).toBe(false);
      }),
    );
  });

  it('of a user are none of a channel, and none of a channel are of a user', () => {
    fc.assert(
      fc.property(socketId, channel, text, (id, name, data) => {
        const user = signUser(APP, id, data);
        expect(verifyUserSignature(APP, user, id, data)).toBe(true);
        expect(verifyChannelSignature(APP, user, id, name, data)).toBe(false);
        expect(verifyUserSignature(APP, signChannel(APP, id, name, data), id, data)).toBe(false);
      }),
    );
  });

  it('refuse any text that was not signed, without throwing', () => {
    fc.assert(
      fc.property(
        fc.oneof(anyText, fc.constantFrom('', ':', 'key:', `key:${'0'.repeat(64)}`)),
        anyText,
        (auth, data) => {
          expect(verifyChannelSignature(APP, auth, '1.2', 'private-a', data)).toBe(false);
          expect(verifyUserSignature(APP, auth, '1.2', data)).toBe(false);
        },
      ),
    );
  });

  it('compare as equal exactly the texts that are', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(equalsInConstantTime(a, a)).toBe(true);
        expect(equalsInConstantTime(a, b)).toBe(a === b);
      }),
    );
  });
});

describe('the signature of an HTTP request', () => {
  const pairs = fc.uniqueArray(fc.tuple(fc.string({ maxLength: 8 }), text), { selector: ([key]) => key.toLowerCase() });

  it('does not depend on the order of the parameters, the case of their keys, or a signature among them', () => {
    fc.assert(
      fc.property(
        pairs.chain((query) => fc.tuple(fc.constant(query), fc.shuffledSubarray(query, { minLength: query.length }))),
        text,
        ([query, shuffled], signature) => {
          const others = (list: QueryPairs) => list.filter(([key]) => key.toLowerCase() !== 'auth_signature');
          const signed = signHttpRequest('secret', 'POST', '/apps/1/events', others(query));
          const sent: QueryPairs = [['AUTH_Signature', signature], ...others(shuffled)];
          expect(signHttpRequest('secret', 'post', '/apps/1/events', sent)).toBe(signed);
        },
      ),
    );
  });

  it('covers every value of a repeated key', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        fc.pre(a !== b);
        const both = httpSigningText('GET', '/', [
          ['k', a],
          ['K', b],
        ]);
        expect(both).toBe(`GET\n/\nk=${a}&k=${b}`);
        expect(httpSigningText('GET', '/', [['k', a]])).not.toBe(both);
      }),
    );
  });
});

describe('socket ids', () => {
  it('are recognized, and nothing else is', () => {
    fc.assert(fc.property(socketId, (id) => isSocketId(id)));
    fc.assert(
      fc.property(anyText, (other) => isSocketId(other) === (/^[0-9]+\.[0-9]+$/.test(other) && other.length <= 64)),
    );
    expect(
      ['1.2\n', '1.2 ', '١.٢', '1', '1.', '.1', '1.2.3', '-1.2', '9'.repeat(63) + '.1'].filter(isSocketId),
    ).toEqual([]);
  });

  it('never come twice among a hundred thousand', () => {
    expect(new Set(Array.from({ length: 100_000 }, createSocketId)).size).toBe(100_000);
  });
});
