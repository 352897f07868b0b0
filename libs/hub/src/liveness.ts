import { PusherErrors } from '@pogo/pusher-protocol';
import type { Connection } from './connection.js';

/** The fractional part of the golden ratio: its multiples, taken modulo 1, are spread evenly however many there are. */
const GOLDEN = 0.618_033_988_749_895;
/** How often a connection is looked at in one ping period: a silent one is closed at most 1/8 period late. */
const VISITS_PER_PERIOD = 8;

/**
 * Pings every connection once per `pingPeriodMs` and closes with 4201 those that were silent for `pongWaitMs` in spite
 * of a ping. Any inbound byte is a sign of life. Visits are spread over time in slots and first pings over the period,
 * because pinging 10,000 sockets at once stalls the event loop for 90 ms, and they may all have come at once.
 */
export class Liveness {
  private readonly slots: Set<Connection>[];
  private readonly slotMs: number;
  private added = 0;
  private position = 0;
  private slotStartedAt = 0;

  /** @param tickMs how often `sweep` is called; a slot is never shorter. */
  constructor(
    private readonly settings: { readonly pingPeriodMs: number; readonly pongWaitMs: number },
    tickMs: number,
  ) {
    const visitPeriodMs = Math.max(settings.pingPeriodMs / VISITS_PER_PERIOD, tickMs);
    const slots = Math.max(1, Math.floor(visitPeriodMs / tickMs));
    this.slots = Array.from({ length: slots }, () => new Set<Connection>());
    this.slotMs = visitPeriodMs / slots;
  }

  add(connection: Connection, now: number): void {
    const { liveness, socket } = connection;
    liveness.bytesRead = socket.bytesRead;
    liveness.aliveAt = wholeMs(now);
    liveness.pingedAt = wholeMs(now - ((this.added * GOLDEN) % 1) * this.settings.pingPeriodMs);
    liveness.slot = this.added++ % this.slots.length;
    this.slots[liveness.slot]?.add(connection);
  }

  remove(connection: Connection): void {
    this.slots[connection.liveness.slot]?.delete(connection);
  }

  /** Visits the slots whose time has come since the last call. */
  sweep(now: number): void {
    for (; now - this.slotStartedAt >= this.slotMs; this.slotStartedAt += this.slotMs) {
      this.position = (this.position + 1) % this.slots.length;
      for (const connection of this.slots[this.position] ?? []) this.visit(connection, now);
    }
  }

  private visit(connection: Connection, now: number): void {
    const { liveness, socket } = connection;
    // A connection that is not read, because its inbox is full, cannot show that it lives.
    if (socket.bytesRead !== liveness.bytesRead || connection.isPaused) {
      liveness.bytesRead = socket.bytesRead;
      liveness.aliveAt = wholeMs(now);
    } else if (liveness.pingedAt > liveness.aliveAt && now - liveness.aliveAt >= this.settings.pongWaitMs) {
      connection.closeQuietly(PusherErrors.pongNotReceived);
      return;
    }
    if (now - liveness.pingedAt < this.settings.pingPeriodMs) return;
    liveness.pingedAt = wholeMs(now);
    socket.ping();
  }
}

/** A number with a fraction is an object of its own: 32 bytes per connection. */
function wholeMs(now: number): number {
  return Math.ceil(now);
}
