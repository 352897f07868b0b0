import { PusherErrors, type ClientMessage } from '@pogo/pusher-protocol';
import type { Connection } from './connection.js';
import { TokenBucket } from './rate-limit/token-bucket.js';
import type { Pacer } from './pacer.js';

/**
 * Handles one message; a promise means that the next message waits for it. Must not throw or reject: the edge renders
 * its own errors.
 */
export type MessageHandler = (connection: Connection, message: ClientMessage) => void | Promise<void>;

/** What all inboxes of a hub share. */
export interface InboxSettings {
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly pacer: Pacer;
}

interface Held {
  readonly message: ClientMessage;
  readonly bytes: number;
}

/**
 * The messages of one connection, one at a time and in order. While one is awaited the others are held, and past the
 * bound the socket is not read. A synchronous handler costs no promise and no queue.
 */
export class Inbox {
  private bucket: TokenBucket | undefined = undefined;
  /** Made when somebody has to wait: most inboxes never hold anything. */
  private held: Held[] | undefined = undefined;
  private firstHeld = 0;
  private heldBytes = 0;
  /** The message that waits for a token; nothing overtakes it. */
  private paced: ClientMessage | undefined = undefined;
  private isBusy = false;
  private isSuspended = false;
  /** The socket is not read at the moment. */
  isPaused = false;
  private isClosed = false;

  constructor(
    private readonly connection: Connection,
    private readonly handler: MessageHandler,
    private readonly settings: InboxSettings,
  ) {}

  /** @param bytes size of the message as received. */
  receive(message: ClientMessage, bytes: number): void {
    if (this.isClosed) return;
    if (this.isBusy || this.isSuspended) {
      (this.held ??= []).push({ message, bytes });
      this.heldBytes += bytes;
    } else {
      this.handle(message);
    }
    this.pauseOrResume();
  }

  /** Called by the pacer. True when the inbox does not wait for a token any more. */
  resumePaced(): boolean {
    const message = this.paced;
    if (message === undefined) return true;
    if (this.isSuspended || !this.takeToken()) return false;
    this.paced = undefined;
    this.dispatch(message);
    if (!this.isBusy) this.next();
    return this.paced === undefined;
  }

  /** The client does not take its answers: handle nothing more until {@link resume}. */
  suspend(): void {
    this.isSuspended = true;
  }

  resume(): void {
    this.isSuspended = false;
    if (!this.isBusy) this.next();
  }

  close(): void {
    this.isClosed = true;
    this.paced = undefined;
    this.held = undefined;
    this.firstHeld = 0;
    this.heldBytes = 0;
    this.settings.pacer.remove(this);
  }

  private handle(message: ClientMessage): void {
    if (this.takeToken()) {
      this.dispatch(message);
    } else if (message.event.startsWith('client-')) {
      this.connection.sendError(PusherErrors.clientEventRateLimit);
    } else {
      // pusher-js subscribes all its channels in one burst and never repeats one: make it wait, refuse nothing.
      this.paced = message;
      this.isBusy = true;
      this.settings.pacer.add(this);
    }
  }

  private dispatch(message: ClientMessage): void {
    this.isBusy = false;
    const done = this.handler(this.connection, message);
    if (done === undefined) return;
    this.isBusy = true;
    const next = () => this.next();
    done.then(next, next);
  }

  private next(): void {
    this.isBusy = false;
    while (!this.isBusy && !this.isSuspended) {
      const message = this.takeHeld();
      if (message === undefined) break;
      this.handle(message);
    }
    this.pauseOrResume();
  }

  private takeHeld(): ClientMessage | undefined {
    const { held } = this;
    const next = held?.[this.firstHeld];
    if (held === undefined || next === undefined) return undefined;
    this.firstHeld++;
    this.heldBytes -= next.bytes;
    if (this.firstHeld === held.length || this.firstHeld >= 256) {
      this.held = this.firstHeld === held.length ? undefined : held.slice(this.firstHeld);
      this.firstHeld = 0;
    }
    return next.message;
  }

  private takeToken(): boolean {
    const rate = this.connection.app.clientMessageRate;
    if (rate === undefined) return true;
    const now = this.settings.pacer.now();
    // Made when it is needed: the app's settings may change while the client is connected.
    this.bucket ??= new TokenBucket(rate, now);
    return this.bucket.take(rate, now);
  }

  private pauseOrResume(): void {
    if (this.isClosed) return;
    const { maxMessages, maxBytes } = this.settings;
    const waiting = (this.held?.length ?? 0) - this.firstHeld;
    const isFull = this.paced !== undefined || waiting >= maxMessages || this.heldBytes >= maxBytes;
    if (isFull === this.isPaused) return;
    this.isPaused = isFull;
    if (isFull) this.connection.socket.pause();
    else this.connection.socket.resume();
  }
}
