/**
 * One WebSocket text message as the bytes that go to a socket: RFC 6455 header and payload in one Buffer, made once
 * and shared by all recipients. Server frames are not masked, so they are the same for everybody.
 */
export class Frame {
  private constructor(readonly bytes: Buffer) {}

  static ofText(text: string): Frame {
    const length = Buffer.byteLength(text);
    const bytes = allocate(length);
    bytes.write(text, bytes.length - length);
    return new Frame(bytes);
  }

  /** `payload` is UTF-8. */
  static ofPayload(payload: Uint8Array): Frame {
    const bytes = allocate(payload.length);
    bytes.set(payload, bytes.length - payload.length);
    return new Frame(bytes);
  }
}

const FIN_TEXT = 0x81;

/** A buffer with the header written (RFC 6455 section 5.2) and room for `length` bytes of payload. */
function allocate(length: number): Buffer {
  if (length < 126) {
    const bytes = Buffer.allocUnsafe(2 + length);
    bytes[0] = FIN_TEXT;
    bytes[1] = length;
    return bytes;
  }
  if (length < 65_536) {
    const bytes = Buffer.allocUnsafe(4 + length);
    bytes[0] = FIN_TEXT;
    bytes[1] = 126;
    bytes.writeUInt16BE(length, 2);
    return bytes;
  }
  const bytes = Buffer.allocUnsafe(10 + length);
  bytes[0] = FIN_TEXT;
  bytes[1] = 127;
  bytes.writeUInt32BE(0, 2);
  bytes.writeUInt32BE(length, 6);
  return bytes;
}
