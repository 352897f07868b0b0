import type { Member } from '@pogo/pusher-protocol';
import type { Channel } from './channel.js';
import type { Connection } from './connection.js';
import type { Joined } from './directory/channel-directory.js';
import type { Batch } from './fan-out/batch.js';
import { Frame, retainable } from './fan-out/frame.js';
import type { HubOptions } from './hub-options.js';

interface HeldFrame {
  readonly bytes: Buffer;
  readonly serial: number | undefined;
}

/**
 * One connection in one channel. It is `joining` until the directory has answered: what arrives in the meantime is
 * held, so that the client gets the acknowledgement first and nothing is missed. `left` is for good.
 */
export class Subscription {
  private state: 'joining' | 'live' | 'left' = 'joining';
  /** Number of the first event that this subscriber has not had: those before it were there before the subscriber. */
  private nextNumber: number;
  /** What the client was told with the acknowledgement; transitions and cached events up to it are no news. */
  private snapshotSerial = 0;
  private held: HeldFrame[] | undefined;
  private heldBytes = 0;
  /** Set by `Membership` with the first acknowledgement: who heard of the subscription hears of its end as well. */
  hasBeenLive = false;
  private onLeave: (() => void) | undefined;

  constructor(
    readonly connection: Connection,
    readonly channel: Channel,
    readonly member: Member | undefined,
    private readonly bounds: Pick<HubOptions, 'outboundQueueSize' | 'outboundQueueBytes'>,
  ) {
    this.nextNumber = channel.pending.nextNumber;
  }

  get hasLeft(): boolean {
    return this.state === 'left';
  }

  get isLive(): boolean {
    return this.state === 'live';
  }

  /** It is acknowledged, and was when `serial` was not there yet. */
  wasLiveBefore(serial: number): boolean {
    return this.hasBeenLive && !this.hasLeft && this.snapshotSerial < serial;
  }

  /** The client subscribes again: hold events until the directory has answered anew. */
  rejoin(): void {
    // What came before is before the new acknowledgement, which may bring a later cached event.
    if (this.isLive) this.channel.deliverNow(this);
    this.state = 'joining';
  }

  /** Acknowledges the subscription and sends everything that waited for it, in one system call. */
  goLive(answer: Joined): void {
    const { connection, channel, held } = this;
    this.dropHeld();
    this.state = 'live';
    this.snapshotSerial = answer.serial;
    if (held === undefined && !channel.name.isCached) {
      connection.sendText(this.acknowledgement(answer));
      return;
    }
    connection.cork();
    connection.sendText(this.acknowledgement(answer));
    if (channel.name.isCached) {
      if (answer.cached === undefined) connection.sendText(connection.messages.cacheMiss(channel.name.name));
      else connection.send(Frame.ofPayload(answer.cached.payload));
    }
    for (const { bytes, serial } of held ?? []) {
      if (serial === undefined || serial > answer.serial) connection.sendEvent(bytes);
    }
    connection.uncork();
  }

  leave(): void {
    this.state = 'left';
    this.dropHeld();
    this.onLeave?.();
  }

  /** Resolves when the subscription has left. For one waiter at a time. */
  whenLeft(): Promise<void> {
    return new Promise((resolve) => (this.onLeave = resolve));
  }

  /** Sends the events of `batch` that are for this subscriber and that it has not had. */
  deliver(batch: Batch): void {
    const from = this.nextNumber;
    if (from >= batch.end) return;
    // Before the first write, which may end the connection and deliver what is left to it.
    this.nextNumber = batch.end;
    const { connection } = this;
    if (this.state === 'joining') {
      this.hold(batch, from);
    } else if (this.state === 'live') {
      const isWhole = from <= batch.first && this.snapshotSerial < batch.lowestSerial && !batch.excludes(connection);
      if (isWhole) connection.sendEvents(batch.framesFor(connection), 0, batch.size);
      else this.deliverParts(batch, from);
    }
  }

  /** The same buffer, around what is not for this subscriber. */
  private deliverParts(batch: Batch, from: number): void {
    const { connection } = this;
    const frames = batch.framesFor(connection);
    connection.cork();
    for (let index = 0, start = 0; index <= batch.size; index++) {
      if (index < batch.size && batch.isFor(index, connection, from, this.snapshotSerial)) continue;
      if (index > start) connection.sendEvents(frames, start, index);
      start = index + 1;
    }
    connection.uncork();
  }

  private hold(batch: Batch, from: number): void {
    const frames = batch.framesFor(this.connection);
    this.held ??= [];
    for (let index = 0; index < batch.size; index++) {
      if (!batch.isFor(index, this.connection, from, this.snapshotSerial)) continue;
      const bytes = retainable(frames.slice(index, index + 1));
      this.held.push({ bytes, serial: batch.serialOf(index) });
      this.heldBytes += bytes.length;
    }
    const { outboundQueueSize, outboundQueueBytes } = this.bounds;
    const isOver = this.held.length > outboundQueueSize || this.heldBytes > outboundQueueBytes;
    if (isOver) this.connection.closeSlowConsumer(this.held.length);
  }

  private dropHeld(): void {
    this.held = undefined;
    this.heldBytes = 0;
  }

  private acknowledgement({ members }: Joined): string {
    const { messages } = this.connection;
    const { name, kind } = this.channel.name;
    return kind === 'presence'
      ? messages.presenceSubscriptionSucceeded(name, members)
      : messages.subscriptionSucceeded(name);
  }
}
