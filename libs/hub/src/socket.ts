/**
 * What the hub needs of a client's transport. The edge owns the real socket and tells the hub about drain, messages
 * and close.
 */
export abstract class Socket {
  /** False from the moment either side has begun to close. */
  abstract readonly isOpen: boolean;
  /** Bytes received so far; any growth is a sign of life. */
  abstract readonly bytesRead: number;
  /** The client has negotiated permessage-deflate: frames may be deflated, each by itself. */
  abstract readonly takesDeflated: boolean;
  /** Writes complete frames. False: the kernel takes no more, wait for the drain. */
  abstract write(bytes: Buffer): boolean;
  /** What is written until `uncork` leaves in one system call. */
  abstract cork(): void;
  abstract uncork(): void;
  /** Sends a WebSocket ping, ahead of everything that waits. */
  abstract ping(): void;
  /** Stops and continues reading from the client. */
  abstract pause(): void;
  abstract resume(): void;
  /** Starts the closing handshake after what was written; a peer that does not finish it is cut off within seconds. */
  abstract close(code: number, reason: string): void;
}
