import { PusherErrors } from '@pogo/pusher-protocol';
import type { Connection } from './connection.js';

/** Connections that owe the server something: to read what was sent, or to finish closing. */
export class SlowSockets {
  private readonly blocked = new Set<Connection>();
  private readonly closing = new Set<Connection>();

  constructor(private readonly writeWaitMs: number) {}

  /** Closing handshakes that are not finished. */
  get closingCount(): number {
    return this.closing.size;
  }

  addBlocked(connection: Connection): void {
    this.blocked.add(connection);
  }

  /** The socket drained, or is not written to any more. */
  removeBlocked(connection: Connection): void {
    this.blocked.delete(connection);
  }

  addClosing(connection: Connection): void {
    this.closing.add(connection);
  }

  /** The socket is closed for good. */
  removeClosing(connection: Connection): void {
    this.closing.delete(connection);
  }

  /** Closes what has been blocked for `writeWaitMs`. */
  sweep(now: number): void {
    for (const connection of this.blocked) {
      const { blockedSince } = connection;
      if (blockedSince !== undefined && now - blockedSince >= this.writeWaitMs)
        connection.close(PusherErrors.slowConsumer);
    }
  }
}
