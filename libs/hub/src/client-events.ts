import { Logger } from '@nestjs/common';
import {
  clientEventDataTooLong,
  clientEventNameTooLong,
  exceedsBytes,
  PusherError,
  PusherErrors,
  type ChannelName,
  type ClientEventMessage,
} from '@pogo/pusher-protocol';
import type { App, ClientEventSenders } from './app/app.js';
import type { Broker } from './broker/broker.js';
import { encodeEnvelope } from './broker/envelope.js';
import type { Connection } from './connection.js';
import type { HubEvents } from './hub-events.js';
import type { HubOptions } from './hub-options.js';
import type { Subscription } from './subscription.js';
import { UnavailableError } from './unavailable-error.js';
import { wallClock } from './wall-clock.js';

/** Events from one client to the others of its channel. They take the publish road. */
export class ClientEvents {
  private readonly logger = new Logger(ClientEvents.name);
  private inFlight = 0;

  constructor(
    private readonly broker: Broker,
    private readonly events: HubEvents,
    private readonly options: Pick<HubOptions, 'brokerQueueSize' | 'hotPathMetrics'>,
  ) {}

  /**
   * Synchronous up to the broker, so that one client's events keep their order. Resolves, when much is pending in the
   * channel, once that is written: until then the client's next message must wait. @throws PusherError 4301
   */
  relay(connection: Connection, message: ClientEventMessage): Promise<void> | undefined {
    const { channel, member } = check(connection, message);
    if (this.inFlight >= this.options.brokerQueueSize) {
      this.events.emit('eventDropped', { appId: connection.app.id, reason: 'broker_queue_full', count: 1 });
      return undefined;
    }
    const { event, dataJson } = message;
    const payload = connection.messages.clientEvent(channel.name.name, event, dataJson, member);
    const sent = this.options.hotPathMetrics ? { sentAt: wallClock() } : {};
    this.inFlight++;
    this.broker
      .publish(channel.topic, encodeEnvelope({ type: 'event', payload, exceptSocketId: connection.socketId, ...sent }))
      .catch((error: unknown) => this.countLost(connection, error))
      .finally(() => this.inFlight--);
    this.events.emit('clientEvent', {
      connection,
      channel: channel.name.name,
      event,
      dataJson,
      userId: member?.userId,
    });
    return channel.pending.whenWritten();
  }

  /** The protocol has no answer to a client event, so a lost one can only be counted. */
  private countLost(connection: Connection, error: unknown): void {
    if (!(error instanceof UnavailableError)) this.logger.error(error);
    this.events.emit('eventDropped', { appId: connection.app.id, reason: 'broker_failed', count: 1 });
  }
}

function check(connection: Connection, { event, channel, dataJson }: ClientEventMessage): Subscription {
  const { app } = connection;
  const { maxEventNameLength, maxEventBytes } = app.limits;
  const senders = sendersOf(app);
  if (senders === 'none') throw new PusherError(PusherErrors.clientEventsDisabled);
  const subscription = connection.subscriptions.get(channel);
  if (subscription === undefined) throw new PusherError(PusherErrors.clientEventNotMember);
  if (!mayCarry(subscription.channel.name, senders)) throw new PusherError(PusherErrors.clientEventChannelKind);
  if (exceedsBytes(event, maxEventNameLength)) throw new PusherError(clientEventNameTooLong(maxEventNameLength));
  if (exceedsBytes(dataJson ?? '', maxEventBytes)) throw new PusherError(clientEventDataTooLong(maxEventBytes));
  return subscription;
}

/** The switch is of every app, who may send of those that speak `reverb`. */
function sendersOf({ clientEvents, dialect, acceptClientEventsFrom }: App): ClientEventSenders {
  if (!clientEvents) return 'none';
  return dialect === 'reverb' ? acceptClientEventsFrom : 'members';
}

/** An encrypted channel carries none: what clients send each other would not be encrypted. */
function mayCarry({ kind, isEncrypted }: ChannelName, senders: ClientEventSenders): boolean {
  if (isEncrypted) return false;
  return kind === 'private' || kind === 'presence' || (kind === 'public' && senders === 'all');
}
