import { messagesOf } from '@pogo/pusher-protocol';
import { decodeEnvelope, type TransitionEnvelope } from './broker/envelope.js';
import type { Channel } from './channel.js';
import type { FanOut } from './fan-out/fan-out.js';
import type { HubCounters } from './hub-counters.js';
import type { HubEvents } from './hub-events.js';
import type { Registry } from './registry.js';

/** What the broker brought, on its way to the local subscribers: no JSON for events. */
export class Delivery {
  constructor(
    private readonly registry: Registry,
    private readonly fanOut: FanOut,
    private readonly counters: HubCounters,
    private readonly events: HubEvents,
  ) {}

  deliver(topic: string, bytes: Buffer): void {
    const channel = this.registry.findChannel(topic);
    if (channel === undefined || channel.subscriptions.size === 0) return;
    const envelope = decodeEnvelope(bytes);
    if (envelope === undefined) return;
    if (envelope.type !== 'event') {
      this.deliverTransition(channel, envelope);
      return;
    }
    const { payload, serial, exceptSocketId } = envelope;
    const except = exceptSocketId === undefined ? undefined : this.registry.findConnection(exceptSocketId);
    if (!this.fanOut.append(channel, { payload, serial, except })) this.countDropped(channel);
  }

  private deliverTransition(channel: Channel, { type, member, serial }: TransitionEnvelope): void {
    const messages = messagesOf(channel.app.dialect);
    const { name } = channel.name;
    const text =
      type === 'member_added' ? messages.memberAdded(name, member) : messages.memberRemoved(name, member.userId);
    this.fanOut.appendAlways(channel, { payload: Buffer.from(text), serial });
  }

  /** The publisher's node has judged its own shards only. */
  private countDropped({ app }: Channel): void {
    this.counters.shardDrops++;
    this.events.emit('eventDropped', { appId: app.id, reason: 'shard_queue_full', count: 1 });
  }
}
