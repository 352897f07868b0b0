import { WebSocket } from 'ws';

export interface Message {
  readonly event: string;
  readonly channel?: string;
  readonly data?: unknown;
}

/** A client that speaks the protocol by itself: pusher-js cannot set headers or query parameters of the handshake. */
export class RawClient {
  private readonly socket: WebSocket;
  private readonly messages: Message[] = [];
  private readonly waiting: (() => void)[] = [];

  constructor(url: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(url, { headers });
    this.socket.on('message', (text) => {
      this.messages.push(JSON.parse(String(text)) as Message);
      for (const wake of this.waiting.splice(0)) wake();
    });
  }

  /** Subscribes and resolves to the answer, whichever it is. */
  async subscribe(channel: string, data: object = {}): Promise<Message> {
    await this.receive('pusher:connection_established');
    this.socket.send(JSON.stringify({ event: 'pusher:subscribe', data: { channel, ...data } }));
    return this.receive('pusher_internal:subscription_succeeded', 'pusher:subscription_error');
  }

  /** The first message with one of these names; waits for it. */
  async receive(...events: string[]): Promise<Message> {
    for (;;) {
      const found = this.messages.find(({ event }) => events.includes(event));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  close(): void {
    this.socket.terminate();
  }
}
