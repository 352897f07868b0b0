import { WebSocket } from 'ws';

/** A client that waits for what the server says. */
export class Client {
  /** The code that the server closed the connection with. */
  readonly closed: Promise<number>;
  private readonly socket: WebSocket;
  private readonly events: string[] = [];
  private readonly waiting: (() => void)[] = [];

  constructor(url: string) {
    this.socket = new WebSocket(url);
    this.socket.on('message', (text) => this.note((JSON.parse(String(text)) as { event: string }).event));
    // A handshake that is refused with an HTTP status; `close` follows, with 1006.
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code) => {
        this.note(`closed ${code}`);
        resolve(code);
      });
    });
  }

  /** Resolves when the server has greeted. */
  async established(): Promise<this> {
    await this.receive('pusher:connection_established');
    return this;
  }

  /** Resolves when the server has acknowledged. */
  async subscribe(channel: string): Promise<void> {
    this.socket.send(JSON.stringify({ event: 'pusher:subscribe', data: { channel } }));
    await this.receive('pusher_internal:subscription_succeeded');
  }

  /** Resolves when an event of that name has come. */
  async receive(event: string): Promise<void> {
    while (!this.events.includes(event)) {
      const end = this.events.find((each) => each.startsWith('closed'));
      if (end !== undefined) throw new Error(`${end} before ${event}`);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  close(): void {
    this.socket.terminate();
  }

  private note(event: string): void {
    this.events.push(event);
    for (const wake of this.waiting.splice(0)) wake();
  }
}
