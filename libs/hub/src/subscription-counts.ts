import { Logger } from '@nestjs/common';
import { messagesOf, type ChannelName } from '@pogo/pusher-protocol';
import { askAgain } from './ask-again.js';
import type { CountEnvelope } from './broker/envelope.js';
import type { Channel } from './channel.js';
import type { ChannelDirectory } from './directory/channel-directory.js';
import type { FanOut } from './fan-out/fan-out.js';
import type { HubEvents } from './hub-events.js';
import type { Registry } from './registry.js';
import { UnavailableError } from './unavailable-error.js';

const READ_AT_ONCE = 64;

/** Tells clients how many connections their channel has, as the directory says it. */
export class SubscriptionCounts {
  private readonly logger = new Logger(SubscriptionCounts.name);
  private round = 0;
  private isInterrupted = false;
  /** Open when something may have been missed, and not read since. */
  private readonly doubtful = new Set<Channel>();

  constructor(
    private readonly registry: Registry,
    private readonly directory: ChannelDirectory,
    private readonly fanOut: FanOut,
    private readonly events: HubEvents,
  ) {}

  /** The number has changed. What a reading has overtaken on its way is old. */
  arrived(channel: Channel, { count, serial = Infinity }: CountEnvelope): void {
    if (serial <= channel.countSerial) return;
    this.tell(channel, count, serial);
  }

  private tell(channel: Channel, count: number, serial: number): void {
    const { app, name } = channel;
    channel.toldCount = count;
    // Older releases say none.
    if (serial !== Infinity) channel.countSerial = serial;
    this.events.emit('subscriptionCount', { appId: app.id, channel: name.name, count });
    // It may be wanted for webhooks alone.
    if (!app.subscriptionCount) return;
    const text = messagesOf(app.dialect).subscriptionCount(name.name, count);
    // No serial: who has just joined is to hear the number that it has made.
    this.fanOut.appendAlways(channel, { payload: Buffer.from(text), serial: undefined });
  }

  /** Who joins now hears no number. */
  interrupted(): void {
    this.isInterrupted = true;
    this.doubtful.clear();
    for (const channel of this.registry.allChannels()) channel.toldCount = undefined;
  }

  /** What is opened later has missed nothing. */
  missed(): void {
    if (this.isInterrupted) return;
    for (const channel of this.registry.allChannels()) this.doubtful.add(channel);
  }

  /** Numbers may have been missed: they are read, and told where they are news. */
  async refresh(): Promise<void> {
    const round = ++this.round;
    const channels = this.isInterrupted ? this.registry.allChannels() : this.doubtful;
    const counted = [...channels].filter(({ app, name }) => app.subscriptionCount && isCounted(name));
    this.isInterrupted = false;
    this.doubtful.clear();
    for (let at = 0; at < counted.length && round === this.round; at += READ_AT_ONCE) {
      await Promise.all(counted.slice(at, at + READ_AT_ONCE).map((channel) => this.read(channel, round)));
    }
  }

  private async read(channel: Channel, round: number): Promise<void> {
    const isOver = () => round !== this.round;
    const before = channel.countSerial;
    try {
      const find = () => this.directory.findChannel(channel.app.id, channel.name.name, {});
      const { subscriptionCount: count, serial } = await askAgain(find, isOver);
      // A later one has arrived meanwhile, as those after it will. Older than what was known is a store that has lost its latest writes.
      const isOvertaken = serial < channel.countSerial && channel.countSerial !== before;
      if (isOver() || isOvertaken || count === 0) return;
      if (count !== channel.toldCount) this.tell(channel, count, serial);
      else channel.countSerial = serial;
    } catch (error) {
      if (!(error instanceof UnavailableError)) this.logger.error(error);
    }
  }
}

/** Presence channels have members instead, and the channel of one user is the server's own. */
function isCounted({ kind }: ChannelName): boolean {
  return kind !== 'presence' && kind !== 'user';
}
