import { PusherErrors } from '@pogo/pusher-protocol';
import type { Connection } from './connection.js';

/**
 * Closes connections that were not authorized in their app's time: neither signed in nor let into a private or presence
 * channel. Connections of one time stand in the order in which it ends for them, so a look costs what has ended.
 */
export class AuthorizationDeadlines {
  /** Time → connections, and when they came. */
  private readonly waiting = new Map<number, Map<Connection, number>>();

  add(connection: Connection, now: number): void {
    const { userAuthenticationTimeoutMs: timeoutMs } = connection.app;
    if (timeoutMs === undefined) return;
    const others = this.waiting.get(timeoutMs);
    if (others === undefined) this.waiting.set(timeoutMs, new Map([[connection, now]]));
    else others.set(connection, now);
  }

  remove(connection: Connection): void {
    for (const [timeoutMs, connections] of this.waiting) {
      if (connections.delete(connection) && connections.size === 0) this.waiting.delete(timeoutMs);
    }
  }

  /** @param now sweeper time, ms. */
  sweep(now: number): void {
    for (const [timeoutMs, connections] of this.waiting) {
      for (const [connection, since] of connections) {
        if (now - since < timeoutMs) break;
        this.remove(connection);
        if (!connection.isAuthorized) connection.close(PusherErrors.notAuthorizedInTime);
      }
    }
  }
}
