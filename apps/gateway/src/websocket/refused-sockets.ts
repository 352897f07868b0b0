import type { Duplex } from 'node:stream';
import { pusherMessages, type PusherErrorData } from '@pogo/pusher-protocol';
import type { WebSocket } from 'ws';

const CLOSE_WAIT_MS = 2_000;
const MAX_REFUSED = 1_000;

/**
 * Sockets that were accepted only to be told why they are refused. They can do nothing, there is a bound to how many
 * there are, and after two seconds the last of them is cut off. One timer for all.
 */
export class RefusedSockets {
  /** In order of time, because all wait equally long. */
  private readonly waiting = new Map<WebSocket, number>();
  private timer: NodeJS.Timeout | undefined;

  get isFull(): boolean {
    return this.waiting.size >= MAX_REFUSED;
  }

  refuse(ws: WebSocket, error: PusherErrorData): void {
    this.waiting.set(ws, performance.now());
    // Faults of the peer; `close` follows each of them.
    ws.on('error', () => undefined);
    ws.on('close', () => this.waiting.delete(ws));
    ws.send(pusherMessages.error(error), { compress: false });
    ws.close(error.code, error.message);
    this.timer ??= setInterval(() => this.sweep(), CLOSE_WAIT_MS / 8).unref();
  }

  terminateAll(): void {
    for (const ws of this.waiting.keys()) ws.terminate();
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private sweep(): void {
    for (const [ws, since] of this.waiting) {
      if (performance.now() - since < CLOSE_WAIT_MS * 0.75) return;
      ws.terminate();
      this.waiting.delete(ws);
    }
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

/** For clients that there is no room to refuse politely, and for requests that are no WebSocket handshakes. */
export function refuseUpgrade(stream: Duplex, status: 400 | 503, reason: string): void {
  stream.on('error', destroyOnError);
  stream.end(`HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => stream.destroy());
}

/** Listener for a stream that nobody else listens to: an error without a listener would end the process. */
export function destroyOnError(this: Duplex): void {
  this.destroy();
}
