import { Logger } from '@nestjs/common';
import { messagesOf, type ChannelName } from '@pogo/pusher-protocol';
import { askAgain } from './ask-again.js';
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

  constructor(
    private readonly registry: Registry,
    private readonly directory: ChannelDirectory,
    private readonly fanOut: FanOut,
    private readonly events: HubEvents,
  ) {}

  /** The number has changed, or was missed. */
  tell(channel: Channel, count: number): void {
    const { app, name } = channel;
    channel.toldCount = count;
    this.events.emit('subscriptionCount', { appId: app.id, channel: name.name, count });
    // It may be wanted for webhooks alone.
    if (!app.subscriptionCount) return;
    const text = messagesOf(app.dialect).subscriptionCount(name.name, count);
    // No serial: who has just joined is to hear the number that it has made.
    this.fanOut.appendAlways(channel, { payload: Buffer.from(text), serial: undefined });
  }

  /** Who joins now hears no number. */
  interrupted(): void {
    for (const channel of this.registry.allChannels()) channel.toldCount = undefined;
  }

  /** Numbers may have been missed: those of the channels here are read, and told where they are news. */
  async refresh(): Promise<void> {
    const round = ++this.round;
    const counted = [...this.registry.allChannels()].filter(
      ({ app, name }) => app.subscriptionCount && isCounted(name),
    );
    for (let at = 0; at < counted.length && round === this.round; at += READ_AT_ONCE) {
      await Promise.all(counted.slice(at, at + READ_AT_ONCE).map((channel) => this.read(channel, round)));
    }
  }

  private async read(channel: Channel, round: number): Promise<void> {
    try {
      const { subscriptionCount } = await askAgain(
        () => this.directory.findChannel(channel.app.id, channel.name.name, {}),
        () => round !== this.round,
      );
      const isNews = subscriptionCount > 0 && subscriptionCount !== channel.toldCount;
      if (round === this.round && isNews) this.tell(channel, subscriptionCount);
    } catch (error) {
      if (!(error instanceof UnavailableError)) this.logger.error(error);
    }
  }
}

/** Presence channels have members instead, and the channel of one user is the server's own. */
function isCounted({ kind }: ChannelName): boolean {
  return kind !== 'presence' && kind !== 'user';
}
