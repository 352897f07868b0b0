import { Logger } from '@nestjs/common';
import { exceedsBytes, isSocketId, messagesOf, parseChannelName, type ChannelName } from '@pogo/pusher-protocol';
import type { App } from './app/app.js';
import { topicOf, type Broker } from './broker/broker.js';
import { encodeEnvelope } from './broker/envelope.js';
import type { ChannelDirectory } from './directory/channel-directory.js';
import type { HubEvents } from './hub-events.js';
import { PublishStatus } from './publish-status.js';
import { UnavailableError } from './unavailable-error.js';

/** One event for one or more channels. */
export interface PublishEvent {
  readonly channels: readonly string[];
  readonly event: string;
  /** Any text; it reaches clients as a string. A Uint8Array is UTF-8. */
  readonly data: string | Uint8Array;
  /** The connection that does not get it. */
  readonly exceptSocketId?: string;
  /** Refuse data that is not JSON. */
  readonly assertJson?: boolean;
}

interface ReadyEvent {
  readonly channels: readonly ChannelName[];
  readonly event: string;
  readonly data: string;
  readonly exceptSocketId: string | undefined;
}

/** The publish road: check everything, encode each event once, hand it to the broker. */
export class Publisher {
  private readonly logger = new Logger(Publisher.name);
  private inFlight = 0;

  constructor(
    private readonly broker: Broker,
    private readonly directory: ChannelDirectory,
    private readonly events: HubEvents,
    private readonly brokerQueueSize: number,
  ) {}

  /** Publishes all of `events` in order, or none: every channel and size is checked before anything is sent. */
  async publish(app: App, events: readonly PublishEvent[]): Promise<PublishStatus> {
    const status = await this.checkAndSend(app, events);
    this.events.emit('published', { app, events: events.length, status });
    return status;
  }

  private checkAndSend(app: App, events: readonly PublishEvent[]): PublishStatus | Promise<PublishStatus> {
    const ready: ReadyEvent[] = [];
    for (const event of events) {
      const checked = check(app, event);
      if (typeof checked === 'number') return checked;
      ready.push(checked);
    }
    if (this.inFlight >= this.brokerQueueSize) return PublishStatus.broker_queue_full;
    return this.send(app, ready);
  }

  /** All sends are started before the first is awaited: order is kept and Redis sees one pipeline. */
  private async send(app: App, events: readonly ReadyEvent[]): Promise<PublishStatus> {
    const channels = events.reduce((sum, event) => sum + event.channels.length, 0);
    this.inFlight += channels;
    try {
      const sends = events.flatMap((event) => event.channels.map((channel) => this.sendOne(app, channel, event)));
      const results = await Promise.allSettled(sends);
      for (const result of results) {
        if (result.status === 'fulfilled') continue;
        if (!(result.reason instanceof UnavailableError)) this.logger.error(result.reason);
        return PublishStatus.broker_failed;
      }
      return PublishStatus.ok;
    } finally {
      this.inFlight -= channels;
    }
  }

  private sendOne(app: App, channel: ChannelName, { event, data, exceptSocketId }: ReadyEvent): Promise<void> {
    const payload = Buffer.from(messagesOf(app.dialect).event(channel.name, event, data));
    const except = exceptSocketId === undefined ? {} : { exceptSocketId };
    if (channel.isCached) {
      const { id: appId, cacheTtlMs: ttlMs } = app;
      return this.directory.publishCached({ appId, channel: channel.name, payload, ttlMs, ...except });
    }
    return this.broker.publish(topicOf(app.id, channel.name), encodeEnvelope({ type: 'event', payload, ...except }));
  }
}

function check(app: App, event: PublishEvent): ReadyEvent | PublishStatus {
  const { maxChannelNameLength, maxEventNameLength, maxEventBytes } = app.limits;
  if (!isTextArray(event.channels) || event.channels.length === 0) return PublishStatus.invalid_channels_json;
  const channels: ChannelName[] = [];
  for (const text of new Set(event.channels)) {
    const channel = parseChannelName(text, maxChannelNameLength);
    if (channel === 'too_long') return PublishStatus.channel_too_long;
    if (channel === 'malformed') return PublishStatus.invalid_channels_json;
    channels.push(channel);
  }
  if (exceedsBytes(event.event, maxEventNameLength)) return PublishStatus.event_too_long;
  const data = textWithin(event.data, maxEventBytes);
  if (data === undefined) return PublishStatus.payload_too_large;
  if (event.assertJson && !isJson(data)) return PublishStatus.invalid_payload_json;
  // What is no socket id excludes nobody.
  const exceptSocketId = isSocketId(event.exceptSocketId ?? '') ? event.exceptSocketId : undefined;
  return { channels, event: event.event, data, exceptSocketId };
}

function textWithin(data: string | Uint8Array, maxBytes: number): string | undefined {
  if (typeof data === 'string') return exceedsBytes(data, maxBytes) ? undefined : data;
  if (data.byteLength > maxBytes) return undefined;
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString();
}

/** Types end where JavaScript calls: a text is iterable as well, letter by letter. */
function isTextArray(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
