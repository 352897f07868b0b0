import type { Connection } from '../connection.js';
import { deflated } from './deflate.js';
import { Frames, frameLength } from './frame.js';
import type { PendingEvent } from './pending-event.js';

/** Larger events travel alone: a socket that takes 64 KiB at once gains nothing from more. */
const MAX_BATCH_BYTES = 65_536;

/**
 * Consecutive events of a channel as one buffer, made once and shared by all recipients. Events have channel-local
 * numbers; those of a batch are `first` up to, not including, `end`.
 */
export class Batch {
  readonly end: number;
  /** Lowest serial of its events: who knows less gets all of them. Infinity when none has one. */
  readonly lowestSerial: number;
  /** Of all payloads. */
  readonly bytes: number;
  private plain: Frames | undefined;
  private compressed: Frames | undefined;
  private readonly exclusions: Set<Connection> | undefined;

  constructor(
    readonly first: number,
    private readonly events: readonly PendingEvent[],
  ) {
    this.end = first + events.length;
    let lowestSerial = Infinity;
    let bytes = 0;
    for (const { payload, serial, except } of events) {
      bytes += payload.length;
      if (serial !== undefined && serial < lowestSerial) lowestSerial = serial;
      if (except !== undefined) (this.exclusions ??= new Set()).add(except);
    }
    this.lowestSerial = lowestSerial;
    this.bytes = bytes;
  }

  get size(): number {
    return this.events.length;
  }

  /** When the oldest of its events arrived; undefined when nobody measures. */
  get arrivedAt(): number | undefined {
    return this.events[0]?.arrivedAt;
  }

  /** Some event of the batch is not for `connection`. */
  excludes(connection: Connection): boolean {
    return this.exclusions?.has(connection) ?? false;
  }

  /** The event at `index` is for a subscriber that wants events from number `from` on and knows serials up to `known`. */
  isFor(index: number, connection: Connection, from: number, known: number): boolean {
    const { serial, except } = this.events[index] as PendingEvent;
    return this.first + index >= from && except !== connection && (serial === undefined || serial > known);
  }

  serialOf(index: number): number | undefined {
    return this.events[index]?.serial;
  }

  /** The frames as `connection` has negotiated them: made for the first who wants them so, shared by all others. */
  framesFor(connection: Connection): Frames {
    return connection.socket.takesDeflated
      ? (this.compressed ??= deflated(this.payloads()))
      : (this.plain ??= Frames.ofPayloads(this.payloads()));
  }

  private payloads(): Uint8Array[] {
    return this.events.map(({ payload }) => payload);
  }
}

/** How many of `events` make the next batch: at least one, and what fits beside it. */
export function batchSize(events: readonly PendingEvent[]): number {
  let bytes = 0;
  for (let count = 0; count < events.length; count++) {
    bytes += frameLength((events[count] as PendingEvent).payload.length);
    if (bytes > MAX_BATCH_BYTES) return Math.max(1, count);
  }
  return events.length;
}
