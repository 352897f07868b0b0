import { Logger } from '@nestjs/common';
import { exceedsBytes, isSocketId, messagesOf, parseChannelName, type ChannelName } from '@pogo/pusher-protocol';
import type { App } from './app/app.js';
import { topicOf, type Broker } from './broker/broker.js';
import { encodeEnvelope } from './broker/envelope.js';
import type { Channel } from './channel.js';
import type { ChannelDirectory } from './directory/channel-directory.js';
import type { FanOut } from './fan-out/fan-out.js';
import type { HubEventMap, HubEvents } from './hub-events.js';
import type { HubOptions } from './hub-options.js';
import { PublishStatus } from './publish-status.js';
import type { Registry } from './registry.js';
import { UnavailableError } from './unavailable-error.js';
import { wallClock } from './wall-clock.js';

/** What a publish may ask for beyond its data. */
export interface PublishOptions {
  /** The connection that does not get the event, on whatever node it is. */
  readonly exceptSocketId?: string;
  /** Refuse data that is not JSON with `invalid_payload_json`. */
  readonly assertJson?: boolean;
}

/** One event for one or more channels. */
export interface PublishEvent {
  /** A name that was parsed already counts as checked. */
  readonly channels: readonly (string | ChannelName)[];
  readonly event: string;
  /** Any text; it reaches clients as a string. A Uint8Array is UTF-8. */
  readonly data: string | Uint8Array;
  /** The connection that does not get it. */
  readonly exceptSocketId?: string;
  /** Refuse data that is not JSON. */
  readonly assertJson?: boolean;
}

interface ReadyEvent {
  readonly targets: readonly Target[];
  readonly event: string;
  readonly dataJson: string;
  readonly exceptSocketId: string | undefined;
}

interface Target {
  readonly name: ChannelName;
  readonly topic: string;
}

/** The publish road: check everything, encode each event once, hand it to the broker. */
export class Publisher {
  private readonly logger = new Logger(Publisher.name);
  private inFlight = 0;

  constructor(
    private readonly broker: Broker,
    private readonly directory: ChannelDirectory,
    private readonly registry: Registry,
    private readonly fanOut: FanOut,
    private readonly events: HubEvents,
    private readonly options: Pick<HubOptions, 'brokerQueueSize' | 'hotPathMetrics'>,
  ) {}

  /** Publishes all of `events` in order, or none: every channel and size is checked before anything is sent. */
  async publish(app: App, events: readonly PublishEvent[]): Promise<PublishStatus> {
    const times = this.options.hotPathMetrics ? new PublishTimes() : undefined;
    const status = await this.checkAndSend(app, events, times);
    this.events.emit('published', { app, events: events.length, status });
    if (times !== undefined && status === PublishStatus.ok) this.events.emit('publishTimed', times.of(app));
    return status;
  }

  private checkAndSend(
    app: App,
    events: readonly PublishEvent[],
    times: PublishTimes | undefined,
  ): PublishStatus | Promise<PublishStatus> {
    const ready: ReadyEvent[] = [];
    for (const event of events) {
      const checked = check(app, event);
      if (typeof checked === 'number') return checked;
      ready.push(checked);
    }
    if (this.inFlight >= this.options.brokerQueueSize) return PublishStatus.broker_queue_full;
    // Judged for all of them before anything is sent. Other nodes judge for themselves, and count what they drop.
    const here = this.channelsHere(ready);
    if (!this.fanOut.hasRoomFor(here)) return PublishStatus.shard_queue_full;
    times?.checked();
    return this.send(app, ready, here, times);
  }

  /** The channels with subscribers on this node, one entry for each event. */
  private channelsHere(events: readonly ReadyEvent[]): Channel[] {
    const here: Channel[] = [];
    for (const { targets } of events) {
      for (const { topic } of targets) {
        const channel = this.registry.findChannel(topic);
        if (channel !== undefined && channel.subscriptions.size > 0) here.push(channel);
      }
    }
    return here;
  }

  /** All sends are started before the first is awaited: order is kept and Redis sees one pipeline. */
  private async send(
    app: App,
    events: readonly ReadyEvent[],
    here: readonly Channel[],
    times: PublishTimes | undefined,
  ): Promise<PublishStatus> {
    const sends: Promise<void>[] = [];
    for (const event of events) for (const target of event.targets) sends.push(this.sendOne(app, target, event));
    const backlog = whenWritten(here);
    this.inFlight += sends.length;
    try {
      // Nearly always there is one. An array of its result and an async function for it are garbage.
      await (sends.length === 1 ? sends[0] : allSent(sends));
    } catch (error) {
      if (!(error instanceof UnavailableError)) this.logger.error(error);
      return PublishStatus.broker_failed;
    } finally {
      this.inFlight -= sends.length;
    }
    times?.accepted();
    if (backlog !== undefined) await Promise.all(backlog);
    return PublishStatus.ok;
  }

  private sendOne(app: App, { name, topic }: Target, { event, dataJson, exceptSocketId }: ReadyEvent): Promise<void> {
    const payload = messagesOf(app.dialect).event(name.name, event, dataJson);
    const except = exceptSocketId === undefined ? {} : { exceptSocketId };
    if (name.isCached) {
      const { id: appId, cacheTtlMs: ttlMs } = app;
      return this.directory.publishCached({
        appId,
        channel: name.name,
        payload: Buffer.from(payload),
        ttlMs,
        ...except,
      });
    }
    const sent = this.options.hotPathMetrics ? { sentAt: wallClock() } : {};
    return this.broker.publish(topic, encodeEnvelope({ type: 'event', payload, ...except, ...sent }));
  }
}

/** How long the phases of one publish took. */
class PublishTimes {
  private readonly startedAt = performance.now();
  private checkedAt = this.startedAt;
  private acceptedAt = this.startedAt;

  checked(): void {
    this.checkedAt = performance.now();
  }

  accepted(): void {
    this.acceptedAt = performance.now();
  }

  of(app: App): HubEventMap['publishTimed'] {
    return {
      app,
      validateMs: this.checkedAt - this.startedAt,
      brokerMs: this.acceptedAt - this.checkedAt,
      totalMs: performance.now() - this.startedAt,
    };
  }
}

/** What a publisher to these channels has to wait for; undefined in the usual case that it is nothing. */
function whenWritten(channels: readonly Channel[]): Promise<void>[] | undefined {
  let backlog: Promise<void>[] | undefined;
  for (const { pending } of channels) {
    const written = pending.whenWritten();
    if (written !== undefined) (backlog ??= []).push(written);
  }
  return backlog;
}

/** Resolves when all are settled; rejects with the first error then. */
async function allSent(sends: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(sends)) if (result.status === 'rejected') throw result.reason;
}

function check(app: App, event: PublishEvent): ReadyEvent | PublishStatus {
  const { maxChannelNameLength, maxEventNameLength, maxEventBytes } = app.limits;
  if (!Array.isArray(event.channels) || event.channels.length === 0) return PublishStatus.invalid_channels_json;
  const targets: Target[] = [];
  for (const entry of event.channels.length === 1 ? event.channels : new Set(event.channels)) {
    const name = parsedName(entry, maxChannelNameLength);
    if (name === 'too_long') return PublishStatus.channel_too_long;
    if (name === 'malformed') return PublishStatus.invalid_channels_json;
    targets.push({ name, topic: topicOf(app.id, name.name) });
  }
  if (exceedsBytes(event.event, maxEventNameLength)) return PublishStatus.event_too_long;
  const data = textWithin(event.data, maxEventBytes);
  if (data === undefined) return PublishStatus.payload_too_large;
  if (event.assertJson && !isJson(data)) return PublishStatus.invalid_payload_json;
  // What is no socket id excludes nobody.
  const exceptSocketId = isSocketId(event.exceptSocketId ?? '') ? event.exceptSocketId : undefined;
  return { targets, event: event.event, dataJson: JSON.stringify(data), exceptSocketId };
}

function textWithin(data: string | Uint8Array, maxBytes: number): string | undefined {
  if (typeof data === 'string') return exceedsBytes(data, maxBytes) ? undefined : data;
  if (data.byteLength > maxBytes) return undefined;
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString();
}

/** Types end where JavaScript calls: anything may stand in the array. */
function parsedName(entry: unknown, maxLength: number): ReturnType<typeof parseChannelName> {
  if (typeof entry === 'string') return parseChannelName(entry, maxLength);
  const isName = typeof entry === 'object' && entry !== null && 'kind' in entry && 'name' in entry;
  return isName ? (entry as ChannelName) : 'malformed';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
