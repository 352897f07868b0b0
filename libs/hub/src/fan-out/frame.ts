/*
 * WebSocket text messages as the bytes that go to a socket: RFC 6455 header and payload, made once and shared by all
 * recipients. Server frames are not masked, so they are the same for everybody. Memory comes from allocUnsafeSlow: a
 * frame may wait long in the buffer of a stalled socket, and there a slice of Node's pool would pin all of its 8 KiB.
 */

/** Opcode text, FIN set. */
const TEXT = 0x81;
/** The same with RSV1: the payload is deflated (RFC 7692). */
const DEFLATED_TEXT = 0xc1;

/** One message. */
export class Frame {
  private constructor(readonly bytes: Buffer) {}

  static ofText(text: string): Frame {
    const length = Buffer.byteLength(text);
    const bytes = Buffer.allocUnsafeSlow(headerLength(length) + length);
    bytes.write(text, writeHeader(bytes, 0, TEXT, length));
    return new Frame(bytes);
  }

  /** `payload` is UTF-8. */
  static ofPayload(payload: Uint8Array): Frame {
    return new Frame(Frames.ofPayloads([payload]).bytes);
  }
}

/** Several messages, one after the other in one Buffer. */
export class Frames {
  private constructor(
    readonly bytes: Buffer,
    /** Where each frame ends. */
    private readonly ends: readonly number[],
  ) {}

  /** `payloads` are UTF-8. */
  static ofPayloads(payloads: readonly Uint8Array[]): Frames {
    return Frames.of(payloads, () => TEXT);
  }

  /** @param isDeflated whether the payload at an index is deflated. */
  static ofDeflated(payloads: readonly Uint8Array[], isDeflated: (index: number) => boolean): Frames {
    return Frames.of(payloads, (index) => (isDeflated(index) ? DEFLATED_TEXT : TEXT));
  }

  private static of(payloads: readonly Uint8Array[], firstByte: (index: number) => number): Frames {
    const total = payloads.reduce((sum, { length }) => sum + headerLength(length) + length, 0);
    const bytes = Buffer.allocUnsafeSlow(total);
    let at = 0;
    const ends = payloads.map((payload, index) => {
      at = writeHeader(bytes, at, firstByte(index), payload.length);
      bytes.set(payload, at);
      return (at += payload.length);
    });
    return new Frames(bytes, ends);
  }

  get count(): number {
    return this.ends.length;
  }

  /** Frames `from` up to, not including, `to`, as a view of the shared bytes. */
  slice(from: number, to: number): Buffer {
    return from === 0 && to === this.count ? this.bytes : this.bytes.subarray(this.startOf(from), this.startOf(to));
  }

  /** Bytes of frames `from` up to, not including, `to`. */
  lengthOf(from: number, to: number): number {
    return this.startOf(to) - this.startOf(from);
  }

  private startOf(index: number): number {
    return index === 0 ? 0 : (this.ends[index - 1] as number);
  }
}

/** Bytes of the frame of a payload of `length` bytes. */
export function frameLength(length: number): number {
  return headerLength(length) + length;
}

function headerLength(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

/** Writes the header at `at` (RFC 6455 section 5.2) and answers where the payload begins. */
function writeHeader(bytes: Buffer, at: number, firstByte: number, length: number): number {
  bytes[at] = firstByte;
  if (length < 126) {
    bytes[at + 1] = length;
    return at + 2;
  }
  if (length < 65_536) {
    bytes[at + 1] = 126;
    bytes.writeUInt16BE(length, at + 2);
    return at + 4;
  }
  bytes[at + 1] = 127;
  bytes.writeUInt32BE(0, at + 2);
  bytes.writeUInt32BE(length, at + 6);
  return at + 10;
}

/** `bytes`, or a copy of them when they are a small part of a shared buffer, which they would pin while they wait. */
export function retainable(bytes: Buffer): Buffer {
  if (bytes.length * 2 >= bytes.buffer.byteLength) return bytes;
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
