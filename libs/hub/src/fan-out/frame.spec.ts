import { describe, expect, it } from 'vitest';
import { Frame } from './frame.js';
import { FakeSocket } from '../testing/hub-harness.js';

/** The text in one frame, read by the length in its header. */
function read(bytes: Buffer): string | undefined {
  expect(bytes[0]).toBe(0x81);
  const socket = new FakeSocket();
  socket.write(bytes);
  expect(socket.received).toHaveLength(1);
  return socket.received[0];
}

describe('Frame', () => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 200_000])(
    'is a text frame that clients read, %i bytes long',
    (length) => {
      const text = 'x'.repeat(length);
      expect(read(Frame.ofText(text).bytes)).toBe(text);
      expect(Frame.ofPayload(Buffer.from(text)).bytes).toEqual(Frame.ofText(text).bytes);
    },
  );

  it('counts bytes and not characters', () => {
    const text = 'ü€😀'.repeat(20);
    expect(read(Frame.ofText(text).bytes)).toBe(text);
  });
});
