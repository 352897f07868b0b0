import { Logger } from '@nestjs/common';
import { PusherErrors } from '@pogo/pusher-protocol';
import type { Channel, Flight } from '../channel.js';
import type { Connection } from '../connection.js';
import type { HubCounters } from '../hub-counters.js';
import type { HubEvents } from '../hub-events.js';
import type { HubOptions } from '../hub-options.js';
import type { Subscription } from '../subscription.js';
import type { Batch } from './batch.js';
import type { PendingEvent } from './pending-event.js';
import { Shards } from './shards.js';

/** How long the event loop is kept before sockets and timers have their turn. */
const SLICE_MS = 2;
/** Recipients of one channel before the next channel has its turn; the clock is read after 16 to 31 of them. */
const QUANTUM = 16;
/** A batch that is larger takes time to make, above all when it is deflated: the clock is read at once. */
const LARGE_BATCH_BYTES = 8_192;
/** Corked sockets cost their system calls at the end of the slice, where no clock is read: these take about 2 ms. */
const MAX_CORKED = 256;
const MAX_CORKED_BYTES = 4_194_304;

/**
 * Writes what is pending in channels to their subscribers, once per turn of the event loop: the events of a channel
 * become one buffer, and each socket gets one system call. Channels with something to write stand in a round robin, so
 * that a large one does not hold up a small one.
 */
export class FanOut {
  private round: Channel[] = [];
  private position = 0;
  private nextRound: Channel[] = [];
  private isScheduled = false;
  private readonly corked: Connection[] = [];
  private corkedBytes = 0;
  private readonly logger = new Logger(FanOut.name);
  private readonly shards: Shards;

  /** @param clock monotonic ms; replaced in tests. */
  constructor(
    private readonly options: Pick<HubOptions, 'numShards' | 'shardQueueSize' | 'hotPathMetrics'>,
    private readonly counters: HubCounters,
    private readonly events: HubEvents,
    private readonly clock: () => number = () => performance.now(),
  ) {
    this.shards = new Shards(options.numShards, options.shardQueueSize);
  }

  /** Where the pending events of a topic are counted. */
  shardOf(topic: string): number {
    return this.shards.shardOf(topic);
  }

  /** Makes `event` pending: it leaves in this turn, or in slices from it on. False when the channel's shard is full. */
  append(channel: Channel, event: PendingEvent): boolean {
    if (!this.shards.hasRoom(channel.shard, 1)) return false;
    this.appendAlways(channel, event);
    return true;
  }

  /** For members that come and go, which must not be lost. Who causes it waits while much is pending: `Membership`. */
  appendAlways(channel: Channel, event: PendingEvent): void {
    this.shards.add(channel.shard);
    this.counters.events++;
    channel.pending.append(this.options.hotPathMetrics ? { ...event, arrivedAt: this.clock() } : event);
    if (channel.isDirty) return;
    channel.isDirty = true;
    this.nextRound.push(channel);
    this.schedule();
  }

  /** Room for all of `channels`, an entry for each event. */
  hasRoomFor(channels: readonly Channel[]): boolean {
    if (channels.length === 1) return this.shards.hasRoom((channels[0] as Channel).shard, 1);
    const perShard = new Map<number, number>();
    for (const { shard } of channels) perShard.set(shard, (perShard.get(shard) ?? 0) + 1);
    return [...perShard].every(([shard, count]) => this.shards.hasRoom(shard, count));
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    // The check phase: after all that has come in during this turn, so that it leaves together.
    setImmediate(this.runSlice);
  }

  private readonly runSlice = (): void => {
    this.isScheduled = false;
    const end = this.clock() + SLICE_MS;
    let sinceClock = 0;
    for (let channel = this.take(); channel !== undefined; channel = this.take()) {
      sinceClock += this.serve(channel);
      if (this.corked.length >= MAX_CORKED || this.corkedBytes >= MAX_CORKED_BYTES) break;
      if (sinceClock < QUANTUM) continue;
      if (this.clock() >= end) break;
      sinceClock = 0;
    }
    this.uncork();
    if (this.position < this.round.length || this.nextRound.length > 0) this.schedule();
  };

  private take(): Channel | undefined {
    if (this.position >= this.round.length) {
      this.round = this.nextRound;
      this.nextRound = [];
      this.position = 0;
    }
    return this.round[this.position++];
  }

  /** Writes one quantum; answers what it cost, in recipients. */
  private serve(channel: Channel): number {
    const cost = channel.flight === undefined ? 1 : 0;
    const flight = channel.flight ?? channel.takeOff();
    if (flight === undefined) {
      this.shards.remove(channel.shard, channel.pending.clear());
      channel.isDirty = false;
      return cost;
    }
    const { batch, recipients } = flight;
    const turnBegan = batch.arrivedAt === undefined ? undefined : this.clock();
    for (let served = 0; served < QUANTUM; served++) {
      const { done, value: subscription } = recipients.next();
      if (done === true) {
        if (turnBegan !== undefined) this.measure(flight, turnBegan);
        this.land(channel, flight);
        return cost + (batch.bytes > LARGE_BATCH_BYTES ? QUANTUM : served);
      }
      this.deliver(batch, subscription, channel);
    }
    if (turnBegan !== undefined) this.measure(flight, turnBegan);
    this.nextRound.push(channel);
    return QUANTUM;
  }

  private deliver(batch: Batch, subscription: Subscription, channel: Channel): void {
    const { connection } = subscription;
    // Only who may get something from another dirty channel as well: a corked pair costs 900 bytes, a write 400.
    if (connection.subscriptions.size > 1 && this.hasOthersThan(channel)) this.cork(connection, batch.bytes);
    try {
      subscription.deliver(batch);
    } catch (error) {
      // The others still get it, and the channels behind this one their turn.
      this.logger.error(error);
      connection.closeQuietly(PusherErrors.internal);
    }
  }

  private measure(flight: Flight, turnBegan: number): void {
    const times = (flight.times ??= { startedAt: turnBegan, writingMs: 0 });
    times.writingMs += this.clock() - turnBegan;
  }

  private land(channel: Channel, flight: Flight): void {
    const { batch, recipientCount, times } = flight;
    channel.land(flight);
    this.shards.remove(channel.shard, batch.size);
    this.counters.batches++;
    if (batch.arrivedAt !== undefined && times !== undefined) {
      this.events.emit('batchWritten', {
        app: channel.app,
        events: batch.size,
        subscribers: recipientCount,
        waitedMs: times.startedAt - batch.arrivedAt,
        writingMs: times.writingMs,
        totalMs: this.clock() - times.startedAt,
      });
    }
    if (channel.pending.size > 0) this.nextRound.push(channel);
    else channel.isDirty = false;
  }

  private hasOthersThan(channel: Channel): boolean {
    return this.round.length > 1 || this.nextRound.length > 1 || (this.nextRound[0] ?? channel) !== channel;
  }

  private cork(connection: Connection, bytes: number): void {
    this.corkedBytes += bytes;
    if (connection.isCorked) return;
    connection.cork();
    this.corked.push(connection);
  }

  private uncork(): void {
    for (const connection of this.corked) connection.uncork();
    this.corked.length = 0;
    this.corkedBytes = 0;
  }
}
