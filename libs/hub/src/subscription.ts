import { PusherErrors, type Member } from '@pogo/pusher-protocol';
import type { Channel } from './channel.js';
import type { Connection } from './connection.js';
import type { Joined } from './directory/channel-directory.js';
import { Frame } from './frame.js';
import type { HubOptions } from './hub-options.js';

interface HeldFrame {
  readonly frame: Frame;
  readonly serial: number | undefined;
}

/**
 * One connection in one channel. It is `joining` until the directory has answered: what arrives in the meantime is
 * held, so that the client gets the acknowledgement first and nothing is missed. `left` is for good.
 */
export class Subscription {
  private state: 'joining' | 'live' | 'left' = 'joining';
  /** What the client was told with the acknowledgement; transitions and cached events up to it are no news. */
  private snapshotSerial = 0;
  private held: HeldFrame[] = [];
  private heldBytes = 0;
  /** Whether the client has been acknowledged at any time. */
  hasBeenLive = false;
  private onLeave: () => void = () => undefined;

  constructor(
    readonly connection: Connection,
    readonly channel: Channel,
    readonly member: Member | undefined,
    private readonly bounds: Pick<HubOptions, 'outboundQueueSize' | 'outboundQueueBytes'>,
  ) {}

  get hasLeft(): boolean {
    return this.state === 'left';
  }

  /** The client subscribes again: hold events until the directory has answered anew. */
  rejoin(): void {
    this.state = 'joining';
  }

  /** Acknowledges the subscription and sends everything that waited for it, in one system call. */
  goLive(answer: Joined): void {
    const { connection, channel } = this;
    const { held } = this;
    this.dropHeld();
    this.state = 'live';
    this.hasBeenLive = true;
    this.snapshotSerial = answer.serial;
    connection.corked(() => {
      connection.sendText(this.acknowledgement(answer));
      if (channel.name.isCached) {
        if (answer.cached === undefined) connection.sendText(connection.messages.cacheMiss(channel.name.name));
        else connection.send(Frame.ofPayload(answer.cached.payload));
      }
      for (const { frame, serial } of held) this.deliver(frame, serial);
    });
  }

  leave(): void {
    this.state = 'left';
    this.dropHeld();
    this.onLeave();
  }

  /** Resolves when the subscription has left. For one waiter at a time. */
  whenLeft(): Promise<void> {
    return new Promise((resolve) => (this.onLeave = resolve));
  }

  /** @param serial of a transition or cached event; undefined for plain events, which are always news. */
  deliver(frame: Frame, serial: number | undefined): void {
    if (this.state === 'live') {
      if (serial === undefined || serial > this.snapshotSerial) this.connection.sendEvent(frame);
    } else if (this.state === 'joining') {
      this.held.push({ frame, serial });
      this.heldBytes += frame.bytes.length;
      const { outboundQueueSize, outboundQueueBytes } = this.bounds;
      const isOver = this.held.length > outboundQueueSize || this.heldBytes > outboundQueueBytes;
      if (isOver) this.connection.close(PusherErrors.slowConsumer);
    }
  }

  private dropHeld(): void {
    this.held = [];
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
