import type { Member } from '@pogo/pusher-protocol';

/**
 * Bytes between nodes. A text message for subscribers travels as it will be sent, so that a recipient node builds its
 * frame without JSON; a transition travels as data, because each node words it for its clients.
 */
export type Envelope = EventEnvelope | TransitionEnvelope;

export interface EventEnvelope {
  readonly type: 'event';
  /** UTF-8 text of one WebSocket message. */
  readonly payload: Buffer;
  /** The connection that does not get it, on whatever node it is. */
  readonly exceptSocketId?: string;
  /** The channel's serial when the event was also cached: a joiner that got it as the cached event skips it here. */
  readonly serial?: number;
}

/** An event as its publisher has it; text spares a copy. */
type OutgoingEvent = Omit<EventEnvelope, 'payload'> & { readonly payload: Buffer | string };

export interface TransitionEnvelope {
  readonly type: 'member_added' | 'member_removed';
  readonly member: Member;
  readonly serial: number;
}

/*
 * Layout, big endian: version u8 · type u8 · header length u16 (payload starts there) · fields · payload.
 * A field is tag u8 · length u16 · bytes. Unknown fields are skipped and the payload's place is given, so a newer
 * release can add fields while an older one runs beside it; an unknown version or type is dropped by the reader.
 */
const VERSION = 1;
const FIXED = 4;
const TYPES = ['event', 'member_added', 'member_removed'] as const;
const TAG_EXCEPT = 1;
const TAG_SERIAL = 2;

export function encodeEnvelope(envelope: OutgoingEvent | TransitionEnvelope): Buffer {
  const isEvent = envelope.type === 'event';
  const payload = isEvent ? envelope.payload : JSON.stringify(envelope.member);
  const except = isEvent ? (envelope.exceptSocketId ?? '') : '';
  const headerLength = FIXED + (except === '' ? 0 : 3 + except.length) + (envelope.serial === undefined ? 0 : 3 + 8);
  const bytes = Buffer.allocUnsafe(headerLength + Buffer.byteLength(payload));
  bytes[0] = VERSION;
  bytes[1] = TYPES.indexOf(envelope.type);
  bytes.writeUInt16BE(headerLength, 2);
  let at = FIXED;
  if (except !== '') {
    at = writeFieldHead(bytes, at, TAG_EXCEPT, except.length);
    at += bytes.write(except, at, 'latin1');
  }
  if (envelope.serial !== undefined) {
    at = writeFieldHead(bytes, at, TAG_SERIAL, 8);
    bytes.writeDoubleBE(envelope.serial, at);
  }
  if (typeof payload === 'string') bytes.write(payload, headerLength);
  else payload.copy(bytes, headerLength);
  return bytes;
}

/** The envelope in `bytes`, or undefined when this release cannot read it. Total: no bytes make it throw. */
export function decodeEnvelope(bytes: Buffer): Envelope | undefined {
  if (bytes.length < FIXED || bytes[0] !== VERSION) return undefined;
  const type = TYPES[bytes[1] as number];
  const headerLength = bytes.readUInt16BE(2);
  if (type === undefined || headerLength < FIXED || headerLength > bytes.length) return undefined;
  let exceptSocketId: string | undefined;
  let serial: number | undefined;
  for (let at = FIXED; at + 3 <= headerLength;) {
    const tag = bytes[at] as number;
    const start = at + 3;
    const end = start + bytes.readUInt16BE(at + 1);
    if (end > headerLength) return undefined;
    if (tag === TAG_EXCEPT) exceptSocketId = bytes.toString('latin1', start, end);
    else if (tag === TAG_SERIAL && end - start === 8) serial = bytes.readDoubleBE(start);
    at = end;
  }
  const payload = bytes.subarray(headerLength);
  if (type === 'event') {
    return {
      type,
      payload,
      ...(exceptSocketId === undefined ? {} : { exceptSocketId }),
      ...(serial === undefined ? {} : { serial }),
    };
  }
  const member = parseMember(payload);
  return member === undefined || serial === undefined ? undefined : { type, member, serial };
}

function writeFieldHead(bytes: Buffer, at: number, tag: number, length: number): number {
  bytes[at] = tag;
  bytes.writeUInt16BE(length, at + 1);
  return at + 3;
}

function parseMember(payload: Buffer): Member | undefined {
  try {
    const value = JSON.parse(payload.toString()) as Partial<Member> | null;
    return typeof value?.userId === 'string' ? { ...value, userId: value.userId } : undefined;
  } catch {
    return undefined;
  }
}
