import {
  messagesOf,
  PusherErrors,
  type ClientMessage,
  type PusherErrorData,
  type ServerMessages,
  type SignedInUser,
} from '@pogo/pusher-protocol';
import type { App } from './app/app.js';
import { Frame } from './frame.js';
import type { HubOptions } from './hub-options.js';
import { Inbox, type InboxSettings, type MessageHandler } from './inbox.js';
import { Outbox } from './outbox.js';
import type { Socket } from './socket.js';
import type { Subscription } from './subscription.js';

/** What a connection needs of the hub it belongs to. */
export interface ConnectionHost {
  readonly options: HubOptions;
  readonly inboxSettings: InboxSettings;
  /** Sweeper time, ms. */
  now(): number;
  /** The server has begun to close the connection. */
  connectionClosing(connection: Connection): void;
  /** The socket takes no more bytes; {@link connectionDrained} follows when it does again. */
  connectionBlocked(connection: Connection): void;
  connectionDrained(connection: Connection): void;
  /** A frame found the outbox full: it was dropped, or the connection is about to be closed for it. */
  outboxFull(connection: Connection): void;
}

/** One client socket of an app, and the only writer to it: everything that the client receives leaves through here. */
export class Connection {
  /** Channel name → subscription, in whatever state. */
  readonly subscriptions = new Map<string, Subscription>();
  /** Set by `pusher:signin`. */
  user: SignedInUser | undefined;
  /** Bookkeeping of `Liveness`. */
  readonly liveness = { slot: 0, bytesRead: 0, aliveAt: 0, pingedAt: 0 };
  private readonly inbox: Inbox;
  private outbox: Outbox | undefined;
  private hasClosed = false;

  /** @param app replaced when its settings change while the client is connected. */
  constructor(
    readonly socketId: string,
    public app: App,
    readonly socket: Socket,
    handler: MessageHandler,
    private readonly host: ConnectionHost,
  ) {
    this.inbox = new Inbox(this, handler, host.inboxSettings);
  }

  /** False from the moment either side closes. */
  get isOpen(): boolean {
    return !this.hasClosed && this.socket.isOpen;
  }

  /** The client is not read at the moment, because its inbox is full or waits for a token. */
  get isPaused(): boolean {
    return this.inbox.isPaused;
  }

  /** True for a connection that has signed in as `userId` or is a member with that id of some presence channel. */
  belongsTo(userId: string): boolean {
    if (this.user?.id === userId) return true;
    for (const { member } of this.subscriptions.values()) if (member?.userId === userId) return true;
    return false;
  }

  get messages(): ServerMessages {
    return messagesOf(this.app.dialect);
  }

  /** Sweeper time at which the socket last took something, or undefined while it keeps up. */
  get blockedSince(): number | undefined {
    return this.outbox?.blockedSince;
  }

  /** Puts a message into the ordered inbox. `bytes` is its size as received. */
  receive(message: ClientMessage, bytes: number): void {
    this.inbox.receive(message, bytes);
  }

  /** Sends an answer: never dropped, a client that does not read its answers is disconnected. */
  send(frame: Frame): void {
    this.deliver(frame, 'disconnect');
  }

  sendText(text: string): void {
    this.send(Frame.ofText(text));
  }

  sendError(error: PusherErrorData): void {
    this.sendText(this.messages.error(error));
  }

  /** Sends an event of a channel; when the outbox is full the configured policy decides. */
  sendEvent(frame: Frame): void {
    this.deliver(frame, this.host.options.slowConsumer);
  }

  /** What `write` sends leaves in one system call. */
  corked(write: () => void): void {
    this.socket.cork();
    write();
    this.socket.uncork();
  }

  /** The socket takes bytes again. */
  handleDrain(): void {
    const { outbox } = this;
    if (outbox === undefined) return;
    outbox.blockedSince = this.host.now();
    if (!outbox.flush(this.socket, this.host.options.writeBurstSize)) return;
    this.outbox = undefined;
    this.host.connectionDrained(this);
    this.inbox.resume();
  }

  /**
   * Tells the client why, closes with the error's code and drops what it has not taken: a peer that does not read
   * would hold it for ever.
   */
  close(error: PusherErrorData): void {
    this.closeAs(error, true);
  }

  /** Closes without a `pusher:error` before it: how liveness and drain end a connection. */
  closeQuietly(error: PusherErrorData): void {
    this.closeAs(error, false);
  }

  /** The socket is gone, or going: nothing is sent or handled from here on. */
  handleClose(): void {
    this.hasClosed = true;
    this.outbox = undefined;
    this.inbox.close();
  }

  private closeAs(error: PusherErrorData, announced: boolean): void {
    if (this.hasClosed) return;
    if (announced && this.outbox === undefined) this.sendError(error);
    this.handleClose();
    this.socket.close(error.code, error.message);
    this.host.connectionClosing(this);
  }

  private deliver(frame: Frame, whenFull: HubOptions['slowConsumer']): void {
    if (!this.isOpen) return;
    if (this.outbox === undefined) this.write(frame);
    else if (!this.isOutboxFull(this.outbox, frame)) this.outbox.add(frame);
    else if (whenFull === 'drop') this.host.outboxFull(this);
    else this.closeSlowConsumer();
  }

  private write(frame: Frame): void {
    if (this.socket.write(frame.bytes)) return;
    this.outbox = new Outbox(this.host.now());
    // Who does not take the answers gets no further ones: its next messages wait.
    this.inbox.suspend();
    this.host.connectionBlocked(this);
  }

  private closeSlowConsumer(): void {
    this.host.outboxFull(this);
    this.close(PusherErrors.slowConsumer);
  }

  private isOutboxFull(outbox: Outbox, frame: Frame): boolean {
    const { outboundQueueSize, outboundQueueBytes } = this.host.options;
    return outbox.size >= outboundQueueSize || outbox.bytes + frame.bytes.length > outboundQueueBytes;
  }
}
