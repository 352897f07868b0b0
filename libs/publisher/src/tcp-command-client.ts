import { ClientTCP, type TcpSocket } from '@nestjs/microservices';
import type { PublisherTcpOptions } from './publisher-options.js';
import { QuietLogger } from './quiet-logger.js';

/** Nest's TCP client, which connects whenever there is something to send and no connection. */
export class TcpCommandClient extends ClientTCP {
  protected override readonly logger = new QuietLogger();
  private isEnded = false;
  /** What the last attempt to connect has failed with. */
  problem: string | undefined;

  constructor({ host = '127.0.0.1', port }: PublisherTcpOptions) {
    super({ host, port });
  }

  override connect(): Promise<unknown> {
    return this.isEnded ? Promise.reject(new Error('the publisher is closed')) : super.connect();
  }

  override close(): void {
    this.isEnded = true;
    super.close();
  }

  /** Before Nest's, which says that the connection is lost. */
  override registerErrorListener(socket: TcpSocket): void {
    socket.on('error', (error: unknown) => {
      if (error instanceof Error) this.problem = error.message;
    });
    super.registerErrorListener(socket);
  }

  /** The name of a pattern on this transport. */
  address(pattern: string): string {
    return pattern;
  }

  /** Whether a connection that does not answer is dead, TCP finds out: it leads to the same machine. */
  probe(): void {
    // Nothing to ask.
  }
}
