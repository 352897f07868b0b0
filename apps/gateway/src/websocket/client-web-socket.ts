import { WebSocket, type RawData } from 'ws';

/** What a client's WebSocket reports. */
export interface ClientWebSocketOwner {
  handleMessage(data: RawData, isBinary: boolean): void;
  handlePing(data: Buffer): void;
  /** A fault of the peer (a bad frame, a reset); the close follows. */
  handleError(error: Error): void;
  /** Either side has begun to close. May come more than once. */
  handleClosing(): void;
  handleClose(): void;
}

/** Private to `ws` 8: the parser of incoming frames. */
interface Receiver {
  _mask?: Buffer | undefined;
}

/**
 * The server's end of a WebSocket. Once it has an owner it reports to it without listeners: four of them, with their
 * closures, would be 500 bytes and 6 µs per connection.
 */
export class ClientWebSocket extends WebSocket {
  owner: ClientWebSocketOwner | undefined = undefined;

  /** Also what `ws` itself calls when the client closes or breaks the protocol. */
  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, reason);
    this.owner?.handleClosing();
  }

  /** Everything that `ws` reports passes here, with at most two arguments. */
  override emit(event: string | symbol, first?: unknown, second?: unknown): boolean {
    const { owner } = this;
    if (owner === undefined) return super.emit(event, first, second);
    switch (event) {
      case 'message':
        this.letChunkGo();
        owner.handleMessage(first as RawData, second as boolean);
        return true;
      case 'ping':
        this.letChunkGo();
        owner.handlePing(first as Buffer);
        return true;
      case 'pong':
        this.letChunkGo();
        return true;
      case 'error':
        owner.handleError(first as Error);
        return true;
      case 'close':
        owner.handleClose();
        return true;
      default:
        return super.emit(event, first, second);
    }
  }

  /**
   * The mask of the last frame, which has done its work, is a view of the chunk that it came in: kept, it is 400 bytes of
   * an idle connection, and up to 64 KB after a burst. Where `ws` has no such field nothing happens.
   */
  private letChunkGo(): void {
    const { _receiver: receiver } = this as unknown as { readonly _receiver?: Receiver | null };
    if (receiver?._mask !== undefined) receiver._mask = undefined;
  }
}
