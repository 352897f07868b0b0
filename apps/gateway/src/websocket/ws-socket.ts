import type { Duplex } from 'node:stream';
import { Socket } from '@pogo/hub';
import type { MessageMappingProperties } from '@nestjs/websockets';
import { WebSocket } from 'ws';

/** What a client that keeps up may be sent in one turn, where it shows only afterwards whether the kernel takes it. */
const MAX_IN_FLIGHT_BYTES = 262_144;

/**
 * The hub's socket over `ws` and the stream below it. Complete frames are written straight to the stream: `ws` itself
 * writes only control frames, which are never deflated and leave at once, each in one piece, so the two never mix.
 */
export class WsSocket extends Socket {
  /** Nest's handlers for this client, guards and filters included. */
  handlers: readonly MessageMappingProperties[] = [];
  /** Looked up once: the getter of `ws` builds a string. */
  readonly takesDeflated: boolean;

  constructor(
    private readonly ws: WebSocket,
    private readonly stream: Duplex & { readonly bytesRead?: number; readonly encrypted?: boolean },
  ) {
    super();
    this.takesDeflated = ws.extensions !== '';
  }

  get isOpen(): boolean {
    return this.ws.readyState === WebSocket.OPEN;
  }

  get bytesRead(): number {
    return this.stream.bytesRead ?? 0;
  }

  /**
   * The stream's own answer says little: a frame above its mark makes it false even when the kernel took all of it, and
   * so does a burst to a stream that hands on later, be it TLS (in the next turn) or corked. Whenever this is false the
   * stream's answer was false as well, so that `drain` follows.
   */
  write(bytes: Buffer): boolean {
    const { stream } = this;
    if (stream.write(bytes)) return true;
    const handsOnLater = stream.encrypted === true || stream.writableCorked > 0;
    return stream.writableLength < (handsOnLater ? MAX_IN_FLIGHT_BYTES : 1);
  }

  cork(): void {
    this.stream.cork();
  }

  uncork(): void {
    this.stream.uncork();
  }

  ping(): void {
    if (this.isOpen) this.ws.ping();
  }

  /** Answers a client's WebSocket ping, unless what it does not read piles up already. */
  pong(data: Buffer): void {
    if (this.isOpen && this.stream.writableLength < this.stream.writableHighWaterMark) this.ws.pong(data);
  }

  pause(): void {
    this.ws.pause();
  }

  resume(): void {
    this.ws.resume();
  }

  close(code: number, reason: string): void {
    // A client that is not read cannot answer the closing handshake.
    this.ws.resume();
    this.ws.close(code, reason);
  }
}
