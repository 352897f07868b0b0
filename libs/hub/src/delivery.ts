import { messagesOf } from '@pogo/pusher-protocol';
import { decodeEnvelope, type Envelope, type EventEnvelope } from './broker/envelope.js';
import type { Channel } from './channel.js';
import type { FanOut } from './fan-out/fan-out.js';
import type { HubCounters } from './hub-counters.js';
import type { HubEvents } from './hub-events.js';
import type { Registry } from './registry.js';
import type { RosterChange } from './roster.js';
import type { SubscriptionCounts } from './subscription-counts.js';
import { wallClock } from './wall-clock.js';
import type { Watchlists } from './watchlists.js';

/** What the broker brought, on its way to the local subscribers: no JSON for events. */
export class Delivery {
  constructor(
    private readonly registry: Registry,
    private readonly fanOut: FanOut,
    private readonly counters: HubCounters,
    private readonly events: HubEvents,
    private readonly counts: SubscriptionCounts,
    private readonly watchlists: Watchlists,
  ) {}

  deliver(topic: string, bytes: Buffer): void {
    const channel = this.registry.findChannel(topic);
    if (channel === undefined) this.watchlists.deliver(topic, bytes);
    if (channel === undefined || channel.subscriptions.size === 0) return;
    const envelope = decodeEnvelope(bytes);
    if (envelope?.type !== 'event') return this.deliverChange(channel, envelope);
    const { roster } = channel;
    if (envelope.serial !== undefined) roster?.pass(envelope.serial);
    const { payload, serial, exceptSocketId, sentAt } = envelope;
    if (sentAt !== undefined) this.events.emit('eventArrived', { app: channel.app, delayMs: wallClock() - sentAt });
    const except = exceptSocketId === undefined ? undefined : this.registry.findConnection(exceptSocketId);
    if (!this.fanOut.append(channel, { payload, serial, except })) this.countDropped(channel);
  }

  private deliverChange(channel: Channel, envelope: Exclude<Envelope, EventEnvelope> | undefined): void {
    if (envelope?.type === 'subscription_count') {
      this.counts.arrived(channel, envelope);
    } else if (envelope?.type === 'member_added' || envelope?.type === 'member_removed') {
      const isNews = channel.roster?.take(envelope, (userId, at) => channel.hosts(userId, at)) ?? true;
      if (isNews) this.announce(channel, envelope);
    }
  }

  /** Tells the channel's clients of a member; those who were told of `serial` or later are left out. */
  announce(channel: Channel, { type, member, serial }: RosterChange): void {
    const messages = messagesOf(channel.app.dialect);
    const { name } = channel.name;
    const text = type === 'member_added' ? messages.memberAdded(name, member) : messages.memberRemoved(name, member);
    this.fanOut.appendAlways(channel, { payload: Buffer.from(text), serial });
  }

  /** The publisher's node has judged its own shards only. */
  private countDropped({ app }: Channel): void {
    this.counters.shardDrops++;
    this.events.emit('eventDropped', { appId: app.id, reason: 'shard_queue_full', count: 1 });
  }
}
