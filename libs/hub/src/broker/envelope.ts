import type { Member } from '@pogo/pusher-protocol';

/**
 * Bytes between nodes. A text message for subscribers travels as it will be sent, so that a recipient node builds its
 * frame without JSON; a transition travels as data, because each node words it for its clients.
 */
export type Envelope = EventEnvelope | TransitionEnvelope | UserEnvelope | CountEnvelope;

export interface EventEnvelope {
  readonly type: 'event';
  /** UTF-8 text of one WebSocket message. */
  readonly payload: Buffer;
  /** The connection that does not get it, on whatever node it is. */
  readonly exceptSocketId?: string;
  /** The channel's serial when the event was also cached: a joiner that got it as the cached event skips it here. */
  readonly serial?: number;
  /** When it was handed to the broker, ms since the epoch; only when somebody measures. */
  readonly sentAt?: number;
}

/** An event as its publisher has it; text spares a copy. */
type OutgoingEvent = Omit<EventEnvelope, 'payload'> & { readonly payload: Buffer | string };

export interface TransitionEnvelope {
  readonly type: 'member_added' | 'member_removed';
  readonly member: Member;
  readonly serial: number;
}

/** On a user's own topic. */
export interface UserEnvelope {
  readonly type: 'user_online' | 'user_offline';
  readonly serial: number;
}

/** The connections in a channel, on all nodes. */
export interface CountEnvelope {
  readonly type: 'subscription_count';
  readonly count: number;
  /** Of the state that it counts; older releases leave it out. */
  readonly serial?: number;
}

/*
 * Layout, big endian: version u8 · type u8 · header length u16 (payload starts there) · fields · payload.
 * A field is tag u8 · length u16 · bytes. Unknown fields are skipped and the payload's place is given, so a newer
 * release can add fields while an older one runs beside it; an unknown version or type is dropped by the reader.
 */
const VERSION = 1;
const FIXED = 4;
const TYPES = ['event', 'member_added', 'member_removed', 'user_online', 'user_offline', 'subscription_count'] as const;
const TAG_EXCEPT = 1;
const TAG_SERIAL = 2;
const TAG_SENT_AT = 3;
/** Of a field with a double in it. */
const DOUBLE_FIELD = 3 + 8;

export function encodeEnvelope(envelope: OutgoingEvent | Exclude<Envelope, EventEnvelope>): Buffer {
  const payload = payloadOf(envelope);
  const except = envelope.type === 'event' ? (envelope.exceptSocketId ?? '') : '';
  const { serial } = envelope;
  const sentAt = envelope.type === 'event' ? envelope.sentAt : undefined;
  const doubles = (serial === undefined ? 0 : DOUBLE_FIELD) + (sentAt === undefined ? 0 : DOUBLE_FIELD);
  const headerLength = FIXED + (except === '' ? 0 : 3 + except.length) + doubles;
  const bytes = Buffer.allocUnsafe(headerLength + Buffer.byteLength(payload));
  bytes[0] = VERSION;
  bytes[1] = TYPES.indexOf(envelope.type);
  bytes.writeUInt16BE(headerLength, 2);
  let at = FIXED;
  if (except !== '') {
    at = writeFieldHead(bytes, at, TAG_EXCEPT, except.length);
    at += bytes.write(except, at, 'latin1');
  }
  if (serial !== undefined) at = writeDouble(bytes, at, TAG_SERIAL, serial);
  if (sentAt !== undefined) writeDouble(bytes, at, TAG_SENT_AT, sentAt);
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
  let sentAt: number | undefined;
  for (let at = FIXED; at + 3 <= headerLength;) {
    const tag = bytes[at] as number;
    const start = at + 3;
    const end = start + bytes.readUInt16BE(at + 1);
    if (end > headerLength) return undefined;
    if (tag === TAG_EXCEPT) exceptSocketId = bytes.toString('latin1', start, end);
    else if (tag === TAG_SERIAL && end - start === 8) serial = bytes.readDoubleBE(start);
    else if (tag === TAG_SENT_AT && end - start === 8) sentAt = bytes.readDoubleBE(start);
    at = end;
  }
  const payload = bytes.subarray(headerLength);
  if (type === 'event') {
    return {
      type,
      payload,
      ...(exceptSocketId === undefined ? {} : { exceptSocketId }),
      ...(serial === undefined ? {} : { serial }),
      ...(sentAt === undefined ? {} : { sentAt }),
    };
  }
  return type === 'subscription_count' ? countIn(payload, serial) : transitionIn(type, payload, serial);
}

function payloadOf(envelope: OutgoingEvent | Exclude<Envelope, EventEnvelope>): Buffer | string {
  switch (envelope.type) {
    case 'event':
      return envelope.payload;
    case 'subscription_count':
      return String(envelope.count);
    case 'user_online':
    case 'user_offline':
      return '';
    default:
      return JSON.stringify(envelope.member);
  }
}

function countIn(payload: Buffer, serial: number | undefined): CountEnvelope | undefined {
  const count = Number(payload.toString() || NaN);
  if (!Number.isInteger(count)) return undefined;
  return { type: 'subscription_count', count, ...(serial === undefined ? {} : { serial }) };
}

function transitionIn(
  type: TransitionEnvelope['type'] | UserEnvelope['type'],
  payload: Buffer,
  serial: number | undefined,
): TransitionEnvelope | UserEnvelope | undefined {
  if (serial === undefined) return undefined;
  if (type === 'user_online' || type === 'user_offline') return { type, serial };
  const member = parseMember(payload);
  return member && { type, member, serial };
}

function writeDouble(bytes: Buffer, at: number, tag: number, value: number): number {
  return bytes.writeDoubleBE(value, writeFieldHead(bytes, at, tag, 8));
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
