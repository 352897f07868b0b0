import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEnvelope, encodeEnvelope, type Envelope } from './envelope.js';

describe('envelope', () => {
  it.each<Envelope>([
    { type: 'event', payload: Buffer.from('{"event":"ü"}') },
    { type: 'event', payload: Buffer.alloc(0) },
    { type: 'event', payload: Buffer.from([0, 255, 10]), exceptSocketId: '123.456', serial: 2 ** 40 + 1 },
    { type: 'member_added', member: { userId: '__proto__', userInfoJson: '{"a":1}' }, serial: 1 },
    { type: 'member_removed', member: { userId: 'ü' }, serial: 7 },
  ])('comes back as it went: %o', (envelope) => {
    const decoded = decodeEnvelope(encodeEnvelope(envelope));
    expect(decoded).toEqual(envelope);
  });

  it('skips fields that a newer release has added', () => {
    const bytes = encodeEnvelope({ type: 'event', payload: Buffer.from('payload'), exceptSocketId: '1.2' });
    const headerLength = bytes.readUInt16BE(2);
    const field = Buffer.from([99, 0, 3, 1, 2, 3]);
    const newer = Buffer.concat([bytes.subarray(0, headerLength), field, bytes.subarray(headerLength)]);
    newer.writeUInt16BE(headerLength + field.length, 2);
    expect(decodeEnvelope(newer)).toEqual({ type: 'event', payload: Buffer.from('payload'), exceptSocketId: '1.2' });
  });

  it('is dropped when its version or type is unknown', () => {
    const bytes = encodeEnvelope({ type: 'event', payload: Buffer.from('payload') });
    expect(decodeEnvelope(Buffer.from([2, ...bytes.subarray(1)]))).toBeUndefined();
    expect(decodeEnvelope(Buffer.from([1, 200, ...bytes.subarray(2)]))).toBeUndefined();
  });

  it('makes no bytes throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (bytes, looksRight) => {
        const start = looksRight ? [1, (bytes[0] ?? 0) % 3] : [];
        decodeEnvelope(Buffer.from([...start, ...bytes]));
      }),
    );
  });
});
