import {
  messagesOf,
  PusherErrors,
  type ClientMessage,
  type PusherErrorData,
  type ServerMessages,
  type SignedInUser,
} from '@pogo/pusher-protocol';
import type { App } from './app/app.js';
import { NO_HANDSHAKE, type Handshake } from './auth/handshake.js';
import { Frame, type Frames } from './fan-out/frame.js';
import { Outbox } from './fan-out/outbox.js';
import type { HubCounters } from './hub-counters.js';
import type { FrameKind } from './hub-events.js';
import type { HubOptions } from './hub-options.js';
import { Inbox, type InboxSettings, type MessageHandler } from './inbox.js';
import type { Socket } from './socket.js';
import { Subscriptions } from './subscriptions.js';

/** What a socket drained of. Times in ms. */
export interface OutboxWritten {
  /** Frames that had waited, and those that left. */
  readonly depth: number;
  readonly frames: number;
  /** How long the oldest had waited. */
  readonly waitedMs: number;
  readonly writingMs: number;
}

/** What a connection needs of the hub it belongs to. */
export interface ConnectionHost {
  readonly options: HubOptions;
  readonly counters: HubCounters;
  readonly inboxSettings: InboxSettings;
  /** Sweeper time, ms. */
  now(): number;
  /** The server has begun to close the connection. */
  connectionClosing(connection: Connection): void;
  /** The socket takes no more bytes; {@link connectionDrained} follows when it does again. */
  connectionBlocked(connection: Connection): void;
  connectionDrained(connection: Connection): void;
  /** Frames found the outbox full: they were dropped, or the connection is about to be closed for it. */
  outboxFull(connection: Connection, frames: number, kind: FrameKind): void;
  /** Frames left the outbox. Only with `hotPathMetrics`. */
  outboxWritten(connection: Connection, written: OutboxWritten): void;
}

/** One client socket of an app, and the only writer to it: everything that the client receives leaves through here. */
export class Connection {
  readonly subscriptions = new Subscriptions();
  /** Set by `pusher:signin`. */
  user: SignedInUser | undefined;
  /** It has signed in, or was let into a private or presence channel. */
  isAuthorized = false;
  /** Bookkeeping of `Liveness`. */
  readonly liveness = { slot: 0, bytesRead: 0, aliveAt: 0, pingedAt: 0 };
  private readonly inbox: Inbox;
  private outbox: Outbox | undefined;
  private corks = 0;
  private hasWrittenCorked = false;
  private isClosing = false;
  private hasClosed = false;

  /** @param app replaced when its settings change while the client is connected. */
  constructor(
    readonly socketId: string,
    public app: App,
    readonly socket: Socket,
    handler: MessageHandler,
    private readonly host: ConnectionHost,
    readonly handshake: Handshake = NO_HANDSHAKE,
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
    const { counters } = this.host;
    counters.messagesReceived++;
    counters.bytesReceived += bytes;
    this.inbox.receive(message, bytes);
  }

  /** Sends an answer: never dropped, a client that does not read its answers is disconnected. */
  send({ bytes }: Frame): void {
    if (!this.isOpen) return;
    if (this.outbox === undefined) this.write(bytes);
    else if (!this.outbox.addFrame(bytes)) this.closeSlowConsumer(1, 'bytes');
  }

  sendText(text: string): void {
    this.send(Frame.ofText(text));
  }

  sendError(error: PusherErrorData): void {
    this.sendText(this.messages.error(error));
  }

  /** Sends one event of a channel; when the outbox is full the configured policy decides. */
  sendEvent(bytes: Buffer): void {
    if (!this.isOpen) return;
    if (this.outbox === undefined) this.write(bytes);
    else if (!this.outbox.addFrame(bytes)) return this.dropOrClose(1);
    this.host.counters.deliveries++;
  }

  /**
   * Sends frames `from` up to, not including, `to`: events of a channel. While the socket is blocked they wait, as many
   * as the outbox holds; for the others the configured policy decides.
   */
  sendEvents(frames: Frames, from: number, to: number): void {
    if (!this.isOpen) return;
    let sent = to - from;
    if (this.outbox === undefined) this.write(frames.slice(from, to));
    else sent = this.outbox.addFrames(frames, from, to);
    this.host.counters.deliveries += sent;
    if (sent < to - from) this.dropOrClose(to - from - sent);
  }

  get isCorked(): boolean {
    return this.corks > 0;
  }

  /** What is sent until the matching {@link uncork} leaves in one system call. */
  cork(): void {
    this.corks++;
    this.socket.cork();
  }

  uncork(): void {
    this.corks--;
    this.socket.uncork();
    if (this.corks > 0 || !this.hasWrittenCorked) return;
    this.hasWrittenCorked = false;
    this.host.counters.socketWrites++;
  }

  /** The socket takes bytes again. */
  handleDrain(): void {
    const { outbox, host } = this;
    if (outbox === undefined) return;
    outbox.blockedSince = host.now();
    const { size: depth, waitedMs } = outbox;
    const startedAt = waitedMs === undefined ? 0 : performance.now();
    const isEmpty = outbox.flush(this);
    if (waitedMs !== undefined) {
      const writingMs = performance.now() - startedAt;
      host.outboxWritten(this, { depth, frames: depth - outbox.size, waitedMs, writingMs });
    }
    if (!isEmpty) return;
    this.outbox = undefined;
    host.connectionDrained(this);
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

  /** More waits for the client than may wait: `frames` did not fit. */
  closeSlowConsumer(frames: number, kind: FrameKind = 'prepared'): void {
    this.host.outboxFull(this, frames, kind);
    this.close(PusherErrors.slowConsumer);
  }

  /** The socket is gone, or going: nothing is sent or handled from here on. */
  handleClose(): void {
    this.hasClosed = true;
    this.outbox?.clear();
    this.outbox = undefined;
    this.inbox.close();
  }

  /** Writes to the socket past the outbox, which alone may call it. False: the socket takes no more. */
  writeNow(bytes: Buffer): boolean {
    const { counters } = this.host;
    counters.bytesWritten += bytes.length;
    if (this.corks > 0) this.hasWrittenCorked = true;
    else counters.socketWrites++;
    return this.socket.write(bytes);
  }

  private write(bytes: Buffer): void {
    if (this.writeNow(bytes)) return;
    this.outbox = new Outbox(this.host.now(), this.host.options, this.host.counters);
    // Who does not take the answers gets no further ones: its next messages wait.
    this.inbox.suspend();
    this.host.connectionBlocked(this);
  }

  private dropOrClose(frames: number): void {
    if (this.host.options.slowConsumer === 'drop') this.host.outboxFull(this, frames, 'prepared');
    else this.closeSlowConsumer(frames);
  }

  private closeAs(error: PusherErrorData, announced: boolean): void {
    if (this.hasClosed || this.isClosing) return;
    this.isClosing = true;
    if (error === PusherErrors.slowConsumer) this.host.counters.slowConsumers++;
    // What was published before the close reaches the client before it.
    if (this.outbox === undefined) this.deliverPending();
    if (announced && this.outbox === undefined) this.sendError(error);
    this.handleClose();
    this.socket.close(error.code, error.message);
    this.host.connectionClosing(this);
  }

  private deliverPending(): void {
    this.cork();
    for (const subscription of this.subscriptions.values()) {
      if (subscription.isLive) subscription.channel.deliverNow(subscription);
    }
    this.uncork();
  }
}
