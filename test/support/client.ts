import { once } from 'node:events';
import { signChannel, signUser, type SigningKey } from '@pogo/pusher-protocol';
import { WebSocket, type ClientOptions as WsOptions } from 'ws';

/** One message from the server, its text parsed. */
export interface Message {
  readonly event: string;
  readonly channel?: string;
  readonly data?: unknown;
  readonly user_id?: string;
}

export interface ClientOptions extends WsOptions {
  readonly app?: SigningKey;
}

type Matcher = string | ((message: Message) => boolean);

/**
 * A Pusher client in six verbs: connect (of the gateway), `send`, `subscribe`, `unsubscribe`, `disconnect`, `receive`.
 * It waits for events and never for time.
 */
export class Client {
  readonly socket: WebSocket;
  /** Everything received so far, in order. */
  readonly received: Message[] = [];
  socketId = '';
  private readonly app: SigningKey;
  private readonly taken = new Set<Message>();
  private readonly waiting: (() => void)[] = [];
  private closed: { readonly code: number; readonly reason: string } | undefined;
  private failure: Error | undefined;

  constructor(url: string, { app = { key: '', secret: '' }, ...options }: ClientOptions) {
    this.app = app;
    this.socket = new WebSocket(url, options);
    this.socket.on('message', (data) => {
      this.received.push(JSON.parse(String(data)) as Message);
      this.wake();
    });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.wake();
    });
    this.socket.on('error', (error) => {
      this.failure = error;
      this.wake();
    });
  }

  /** Resolves when the server has greeted. */
  async established(): Promise<this> {
    const { data } = await this.receive('pusher:connection_established');
    this.socketId = (JSON.parse(String(data)) as { socket_id: string }).socket_id;
    return this;
  }

  /** Sends an object as JSON, and anything else as it is. */
  send(message: object | string | Buffer): void {
    this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  /** Subscribes, signed as the channel's kind demands, and resolves to the acknowledgement. */
  async subscribe(channel: string, member?: { user_id: string | number; user_info?: unknown }): Promise<Message> {
    this.send(this.subscription(channel, member));
    return this.receive((m) => m.event === 'pusher_internal:subscription_succeeded' && m.channel === channel);
  }

  /** The `pusher:subscribe` message for a channel, signed. */
  subscription(channel: string, member?: { user_id: string | number; user_info?: unknown }): object {
    const channelData = member === undefined ? undefined : JSON.stringify(member);
    const needsAuth = channel.startsWith('private-') || channel.startsWith('presence-');
    const auth = needsAuth ? signChannel(this.app, this.socketId, channel, channelData) : '';
    return {
      event: 'pusher:subscribe',
      data: { auth, channel, ...(channelData === undefined ? {} : { channel_data: channelData }) },
    };
  }

  /** Signs in and resolves to the server's answer, success or error. */
  async signin(userData: object): Promise<Message> {
    const text = JSON.stringify(userData);
    this.send({ event: 'pusher:signin', data: { auth: signUser(this.app, this.socketId, text), user_data: text } });
    return this.receive((m) => m.event === 'pusher:signin_success' || m.event === 'pusher:error');
  }

  unsubscribe(channel: string): void {
    this.send({ event: 'pusher:unsubscribe', data: { channel } });
  }

  /** Closes and resolves when the connection is closed. */
  async disconnect(): Promise<void> {
    if (this.closed !== undefined) return;
    this.socket.close();
    await once(this.socket, 'close');
  }

  terminate(): void {
    this.socket.on('error', () => undefined);
    this.socket.terminate();
  }

  /** The oldest message that matches and has not been received by an earlier call; waits for it. */
  async receive(matcher: Matcher): Promise<Message> {
    const matches = typeof matcher === 'string' ? (m: Message) => m.event === matcher : matcher;
    for (;;) {
      const found = this.received.find((message) => !this.taken.has(message) && matches(message));
      if (found !== undefined) {
        this.taken.add(found);
        return found;
      }
      if (this.failure !== undefined) throw this.failure;
      if (this.closed !== undefined) {
        throw new Error(`closed with ${this.closed.code} ${this.closed.reason} before ${String(matcher)} came`);
      }
      await this.change();
    }
  }

  /** Resolves to how the server closed the connection. */
  async closing(): Promise<{ code: number; reason: string }> {
    while (this.closed === undefined) await this.change();
    return this.closed;
  }

  /**
   * Resolves when everything that the server sent before now has arrived: messages of one connection keep their order,
   * so the answer to a ping is behind them. Then `received` proves silence as well.
   */
  async settle(): Promise<readonly Message[]> {
    this.send({ event: 'pusher:ping', data: {} });
    await this.receive('pusher:pong');
    return this.received.filter(({ event }) => event !== 'pusher:pong');
  }

  /** Events named `event` among what was received so far. */
  count(event: string): number {
    return this.received.filter((message) => message.event === event).length;
  }

  /** Resolves when `count` events named `event` have been received in all, by whomever. */
  async reaches(event: string, count: number): Promise<void> {
    while (this.count(event) < count) {
      if (this.closed !== undefined)
        throw new Error(`closed with ${this.closed.code} after ${this.count(event)} events`);
      await this.change();
    }
  }

  /** Resolves when something was received, or the connection ended. */
  private change(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/** `data` of the server's events, which is a JSON string. */
export function dataOf(message: Message): unknown {
  return JSON.parse(String(message.data));
}
