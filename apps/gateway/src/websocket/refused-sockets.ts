import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { messagesOf, type DialectName, type PusherErrorData } from '@pogo/pusher-protocol';
import type { WebSocket } from 'ws';
import type { ClosingSockets } from './closing-sockets.js';

const MAX_REFUSED = 1_000;

/**
 * Sockets that were accepted only to be told why they are refused. They can do nothing, there is a bound to how many
 * there are, and those that do not go by themselves are cut off.
 */
export class RefusedSockets {
  private readonly waiting = new Set<WebSocket>();

  constructor(private readonly closing: ClosingSockets) {}

  get isFull(): boolean {
    return this.waiting.size >= MAX_REFUSED;
  }

  refuse(ws: WebSocket, error: PusherErrorData, dialect: DialectName): void {
    this.waiting.add(ws);
    // Faults of the peer; `close` follows each of them.
    ws.on('error', () => undefined);
    ws.on('close', () => {
      this.waiting.delete(ws);
      this.closing.delete(ws);
    });
    ws.send(messagesOf(dialect).error(error), { compress: false });
    ws.close(error.code, error.message);
    this.closing.add(ws);
  }

  terminateAll(): void {
    for (const ws of this.waiting) ws.terminate();
  }
}

/**
 * For clients that come too often, or that there is no room to refuse politely, and for requests that are no WebSocket
 * handshakes.
 */
export function refuseUpgrade(stream: Duplex, status: 400 | 429 | 503, retryAfterMs = 0): void {
  const retryAfter = retryAfterMs === 0 ? '' : `Retry-After: ${Math.ceil(retryAfterMs / 1_000)}\r\n`;
  // Its own listener: whoever refuses takes away the one that guarded the look-ups.
  stream.on('error', () => stream.destroy());
  stream.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${retryAfter}Connection: close\r\nContent-Length: 0\r\n\r\n`,
    () => stream.destroy(),
  );
}

/** Listener for a stream that nobody else listens to: an error without a listener would end the process. */
export function destroyOnError(this: Duplex): void {
  this.destroy();
}
