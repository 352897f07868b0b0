import { WebSocket } from 'ws';

interface Message {
  readonly event: string;
  readonly data?: unknown;
}

/** A client that waits for what the server says. */
export class Client {
  private readonly socket: WebSocket;
  private readonly messages: Message[] = [];
  private readonly waiting: (() => void)[] = [];

  constructor(url: string) {
    this.socket = new WebSocket(url);
    this.socket.on('message', (text) => {
      this.messages.push(JSON.parse(String(text)) as Message);
      for (const wake of this.waiting.splice(0)) wake();
    });
  }

  /** Resolves to the socket id when the server has greeted. */
  async established(): Promise<string> {
    return ((await this.receive('pusher:connection_established')) as { socket_id: string }).socket_id;
  }

  /** Resolves when the server has acknowledged. */
  async subscribe(channel: string, data: object): Promise<void> {
    this.socket.send(JSON.stringify({ event: 'pusher:subscribe', data: { channel, ...data } }));
    await this.receive('pusher_internal:subscription_succeeded');
  }

  /** Resolves to the data of the first event of that name, which is JSON. */
  async receive(event: string): Promise<unknown> {
    for (;;) {
      const found = this.messages.find((message) => message.event === event);
      if (found !== undefined) return JSON.parse(String(found.data));
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  close(): void {
    this.socket.terminate();
  }
}
