import { Socket as NetSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Socket, type Connection } from '@pogo/hub';
import { WebSocket, type RawData } from 'ws';
import type { ClosingSockets } from './closing-sockets.js';
import type { ClientWebSocket, ClientWebSocketOwner } from './client-web-socket.js';

/** What a client that keeps up may be sent in one turn, where it shows only afterwards whether the kernel takes it. */
const MAX_IN_FLIGHT_BYTES = 262_144;

/** Private to Node: the TCP socket below TLS. Where there is none, closing is of the ordinary kind. */
type EncryptedStream = Duplex & { readonly _parent?: unknown };

/** What the edge does for its connections: one object for all of them. */
export interface ConnectionListener {
  connectionReceived(connection: Connection, data: RawData, isBinary: boolean): void;
  connectionFailed(connection: Connection, error: Error): void;
  connectionClosed(connection: Connection): void;
  readonly closing: ClosingSockets;
}

/**
 * The hub's socket over `ws` and the stream below it. Complete frames are written straight to the stream: `ws` itself
 * writes only control frames, which are never deflated and leave at once, each in one piece, so the two never mix.
 */
export class WsSocket extends Socket implements ClientWebSocketOwner {
  /** Looked up once: the getter of `ws` builds a string. */
  readonly takesDeflated: boolean;
  private connection: Connection | undefined = undefined;
  private awaitsDrain = false;

  constructor(
    private readonly ws: ClientWebSocket,
    private readonly stream: Duplex & { readonly bytesRead?: number; readonly encrypted?: boolean },
    private readonly listener: ConnectionListener,
  ) {
    super();
    this.takesDeflated = ws.extensions !== '';
  }

  /** From now on what the client does is `connection`'s. */
  attach(connection: Connection): void {
    this.connection = connection;
    this.ws.owner = this;
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
    if (stream.writableLength < (handsOnLater ? MAX_IN_FLIGHT_BYTES : 1)) return true;
    this.awaitDrain();
    return false;
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

  /**
   * Cuts the client off. What Node still holds did not fit into the kernel: a client that reads nothing is reset, because
   * after a close of the ordinary kind the kernel would offer it megabytes for minutes. Otherwise the kernel has all of
   * it, the close frame as well, and goes on delivering to a client that has only lost its link for a while.
   */
  terminate(): void {
    if (!this.reset()) this.ws.terminate();
  }

  private reset(): boolean {
    const { stream } = this;
    const socket = stream.encrypted === true ? (stream as EncryptedStream)._parent : stream;
    if (stream.writableLength === 0 || !(socket instanceof NetSocket)) return false;
    try {
      socket.resetAndDestroy();
      return true;
    } catch {
      // A Unix socket, which keeps nothing for a peer.
      return false;
    }
  }

  handleMessage(data: RawData, isBinary: boolean): void {
    if (this.connection !== undefined) this.listener.connectionReceived(this.connection, data, isBinary);
  }

  /** Answers a client's WebSocket ping, unless what it does not read piles up already. */
  handlePing(data: Buffer): void {
    if (this.connection?.blockedSince !== undefined) return;
    if (this.isOpen && this.stream.writableLength < this.stream.writableHighWaterMark) this.ws.pong(data);
  }

  handleError(error: Error): void {
    if (this.connection !== undefined) this.listener.connectionFailed(this.connection, error);
  }

  handleClosing(): void {
    this.listener.closing.add(this);
  }

  handleClose(): void {
    this.listener.closing.delete(this);
    if (this.connection !== undefined) this.listener.connectionClosed(this.connection);
  }

  /** Most sockets never block, so nobody listens for `drain` until one does. */
  private awaitDrain(): void {
    if (this.awaitsDrain) return;
    this.awaitsDrain = true;
    this.stream.once('drain', () => {
      this.awaitsDrain = false;
      this.connection?.handleDrain();
    });
  }
}
