import { WebSocket, type ClientOptions } from 'ws';

/** What pusher-js waits for before it dials again. */
const BACKOFF_MS = 1_000;

/**
 * A client that comes back as pusher-js does: at once after 4200 to 4299 and after a lost connection, after a second when it is
 * told to wait (4100 to 4199) or cannot connect. It stays in one channel, and counts what it gets there.
 */
export class ReconnectingClient {
  isSubscribed = false;
  /** Data of the channel's events. */
  readonly data: string[] = [];
  /** How its connections ended. */
  readonly closings: number[] = [];
  private socket: WebSocket | undefined;
  private retry: NodeJS.Timeout | undefined;
  private hasStopped = false;

  constructor(
    private readonly url: string,
    private readonly channel: string,
    private readonly options: ClientOptions = {},
  ) {
    this.dial();
  }

  stop(): void {
    this.hasStopped = true;
    clearTimeout(this.retry);
    this.socket?.terminate();
  }

  private dial(): void {
    const socket = (this.socket = new WebSocket(this.url, this.options));
    // `close` follows.
    socket.on('error', () => undefined);
    socket.on('message', (text: Buffer) => this.receive(socket, JSON.parse(text.toString()) as Received));
    socket.on('close', (code) => {
      this.isSubscribed = false;
      if (this.hasStopped) return;
      this.closings.push(code);
      const mustWait = code === 1006 || (code >= 4100 && code < 4200);
      this.retry = setTimeout(() => this.dial(), mustWait ? BACKOFF_MS : 0);
    });
  }

  private receive(socket: WebSocket, { event, channel, data }: Received): void {
    if (event === 'pusher:connection_established') {
      socket.send(JSON.stringify({ event: 'pusher:subscribe', data: { channel: this.channel } }));
    } else if (event === 'pusher:ping') {
      socket.send('{"event":"pusher:pong","data":{}}');
    } else if (channel === this.channel) {
      if (event === 'pusher_internal:subscription_succeeded') this.isSubscribed = true;
      else this.data.push(String(data));
    }
  }
}

interface Received {
  readonly event: string;
  readonly channel?: string;
  readonly data?: unknown;
}
