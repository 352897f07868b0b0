/** How long a client may take to finish closing. */
const CLOSE_WAIT_MS = 2_000;
const TICK_MS = 100;
/** For cutting off in one turn. The kernel frees what a client has not read, megabytes of it, while everybody waits. */
const CUTTING_OFF_MS = 2;

/** A `WsSocket`, or the WebSocket of a client that was refused. */
interface ClosingSocket {
  terminate(): void;
}

/** Sockets that are closing, whoever began it: who does not finish within seconds is cut off. */
export class ClosingSockets {
  /** With the time at which the closing began, oldest first. */
  private readonly since = new Map<ClosingSocket, number>();
  private timer: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;

  /** @param clock monotonic ms; replaced in tests. */
  constructor(private readonly clock: () => number = () => performance.now()) {}

  add(socket: ClosingSocket): void {
    if (!this.since.has(socket)) this.since.set(socket, this.clock());
    this.timer ??= setInterval(() => this.sweepSoon(), TICK_MS).unref();
  }

  /** It is closed for good. */
  delete(socket: ClosingSocket): void {
    this.since.delete(socket);
  }

  /** One round. Public for tests. */
  sweep(): void {
    const now = this.clock();
    for (const [socket, since] of this.since) {
      if (now - since < CLOSE_WAIT_MS) return;
      if (this.clock() - now >= CUTTING_OFF_MS) return this.sweepSoon();
      this.since.delete(socket);
      socket.terminate();
    }
    clearInterval(this.timer);
    clearImmediate(this.immediate);
    this.timer = undefined;
    this.immediate = undefined;
  }

  /** In the check phase: the answer of a client that was in time has been read by then, however busy the node was. */
  private sweepSoon(): void {
    this.immediate ??= setImmediate(() => {
      this.immediate = undefined;
      this.sweep();
    });
  }
}
