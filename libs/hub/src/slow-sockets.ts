import { PusherErrors } from '@pogo/pusher-protocol';
import type { Connection } from './connection.js';

/** How long a peer may take to answer the closing handshake. */
const CLOSE_WAIT_MS = 2_000;

/** Connections that owe the server something: to read what was sent, or to finish closing. */
export class SlowSockets {
  private readonly blocked = new Set<Connection>();
  /** In order of time, because all wait equally long. */
  private readonly closing = new Map<Connection, number>();

  constructor(private readonly writeWaitMs: number) {}

  addBlocked(connection: Connection): void {
    this.blocked.add(connection);
  }

  addClosing(connection: Connection, now: number): void {
    this.closing.set(connection, now);
  }

  /** Closing handshakes that are not finished. */
  get closingCount(): number {
    return this.closing.size;
  }

  /** The socket is closed for good. */
  closed(connection: Connection): void {
    this.closing.delete(connection);
  }

  /** The socket drained, or is not written to any more. */
  forget(connection: Connection): void {
    this.blocked.delete(connection);
  }

  sweep(now: number): void {
    for (const connection of this.blocked) {
      const { blockedSince } = connection;
      if (blockedSince === undefined) this.blocked.delete(connection);
      else if (now - blockedSince >= this.writeWaitMs) connection.close(PusherErrors.slowConsumer);
    }
    for (const [connection, since] of this.closing) {
      if (now - since < CLOSE_WAIT_MS) return;
      this.closing.delete(connection);
      connection.socket.terminate();
    }
  }
}
