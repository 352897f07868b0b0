import type { Duplex } from 'node:stream';
import { Socket } from '@pogo/hub';
import type { MessageMappingProperties } from '@nestjs/websockets';
import { WebSocket } from 'ws';

/**
 * The hub's socket over `ws` and the stream below it. Complete frames are written straight to the stream: with
 * permessage-deflate off `ws` itself writes only control frames, each in one piece, so the two never mix.
 */
export class WsSocket extends Socket {
  /** Nest's handlers for this client, guards and filters included. */
  handlers: readonly MessageMappingProperties[] = [];

  constructor(
    private readonly ws: WebSocket,
    private readonly stream: Duplex & { readonly bytesRead?: number },
  ) {
    super();
  }

  get takesDeflated(): boolean {
    return this.ws.extensions !== '';
  }

  get isOpen(): boolean {
    return this.ws.readyState === WebSocket.OPEN;
  }

  get bytesRead(): number {
    return this.stream.bytesRead ?? 0;
  }

  /** A frame larger than the stream's mark makes `write` answer false even when the kernel took it all at once. */
  write(bytes: Buffer): boolean {
    return this.stream.write(bytes) || this.stream.writableLength === 0;
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
