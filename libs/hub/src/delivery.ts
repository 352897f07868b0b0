import { messagesOf } from '@pogo/pusher-protocol';
import { decodeEnvelope, type TransitionEnvelope } from './broker/envelope.js';
import type { Channel } from './channel.js';
import { Frame } from './frame.js';
import type { Registry } from './registry.js';

/** What the broker brought, on its way to the local subscribers: no JSON for events, one frame for all recipients. */
export class Delivery {
  constructor(private readonly registry: Registry) {}

  deliver(topic: string, bytes: Buffer): void {
    const channel = this.registry.findChannel(topic);
    if (channel === undefined || channel.subscriptions.size === 0) return;
    const envelope = decodeEnvelope(bytes);
    if (envelope === undefined) return;
    if (envelope.type !== 'event') {
      this.deliverTransition(channel, envelope);
      return;
    }
    const except =
      envelope.exceptSocketId === undefined ? undefined : this.registry.findConnection(envelope.exceptSocketId);
    channel.broadcast(Frame.ofPayload(envelope.payload), envelope.serial, except);
  }

  private deliverTransition(channel: Channel, { type, member, serial }: TransitionEnvelope): void {
    const messages = messagesOf(channel.app.dialect);
    const { name } = channel.name;
    const text =
      type === 'member_added' ? messages.memberAdded(name, member) : messages.memberRemoved(name, member.userId);
    channel.broadcast(Frame.ofText(text), serial, undefined);
  }
}
