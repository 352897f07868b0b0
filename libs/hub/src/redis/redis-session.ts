import { Logger } from '@nestjs/common';
import { pauseBeforeAskingAgain } from '../ask-again.js';
import { UnavailableError } from '../unavailable-error.js';
import { callBucket } from './redis-bucket-call.js';
import { RedisReaper } from './redis-reaper.js';
import { RedisBuckets } from './redis-buckets.js';
import { FencedError } from './redis-fenced-error.js';
import { RedisHeartbeat } from './redis-heartbeat.js';
import { RedisHold } from './redis-hold.js';
import type { RedisKeys } from './redis-keys.js';
import { newIncarnation, type Beat, type RedisLeases } from './redis-leases.js';
import type { RedisArgument, RedisLink } from './redis-link.js';
import type { RedisOptions } from './redis-options.js';
import { groupByBucket, restoreCalls, restoreScript } from './redis-restore.js';
import type { RedisScript } from './redis-script.js';
import { SessionObservers, type SessionObserver } from './redis-session-observer.js';

type Question = [bucket: string, script: RedisScript, args: readonly RedisArgument[], wanted?: string];

/**
 * This node's life in the directory. Whenever its connection was lost, or it counts as dead, it takes a new name
 * (incarnation), writes down all that it holds under that name, and cleans up after the former one: what somebody
 * has left meanwhile is announced by that, what was forgotten is back, and what is unchanged nobody notices.
 */
export class RedisSession {
  private readonly logger = new Logger(RedisSession.name);
  private readonly observers = new SessionObservers();
  /** Something waits in a bucket: for its time, or to be fetched for webhooks. */
  onPending: (bucket: string) => void = () => undefined;
  private readonly reaper: RedisReaper;
  private buckets: RedisBuckets;
  private epoch = '';
  private readonly hold: RedisHold;
  private ready = false;
  private isRestoring = false;
  private isClosed = false;
  private attempt = 0;
  private failures = 0;
  /** Redis knows the incarnation, or may. */
  private isRecorded = false;
  private readonly heartbeat: RedisHeartbeat;

  constructor(
    readonly link: RedisLink,
    private readonly leases: RedisLeases,
    private readonly options: RedisOptions,
    readonly keys: RedisKeys,
  ) {
    this.heartbeat = new RedisHeartbeat(options.heartbeatMs, () => this.beat());
    this.hold = new RedisHold((what) => this.observers.tell(what));
    this.buckets = new RedisBuckets(leases, '');
    this.reaper = new RedisReaper(leases, () => this.ready);
    link.onOpen = () => void this.begin();
    link.onLost = () => this.suspend();
  }

  /** This node's holdings are in Redis, and questions are answered. */
  get isReady(): boolean {
    return this.ready;
  }

  observe(observer: SessionObserver): void {
    this.observers.add(observer);
  }

  start(): void {
    this.link.connect();
    this.heartbeat.start();
  }

  /** Leaves nothing behind in Redis, if it can. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.ready = false;
    this.reaper.close();
    this.hold.close();
    this.heartbeat.close();
    if (this.link.isOpen) {
      this.reaper.add(this.buckets);
      await this.reaper.retire();
    }
    await this.link.close();
  }

  /** Connection counts have changed: the next heartbeat comes the sooner for it. */
  beatSoon(): void {
    if (this.ready) this.heartbeat.soon();
  }

  /** Connections of the app on the other nodes, as they were reported. @throws UnavailableError */
  countConnectionsElsewhere(appId: string): Promise<number> {
    return this.leases.countConnections(appId, this.buckets.incarnation);
  }

  /**
   * Asks for a change in a bucket. Calls of one bucket take effect in order.
   * @param wanted what the app wants to be told, from who knows it. @throws UnavailableError
   */
  async change(...question: Question): Promise<unknown[]> {
    this.checkAlive();
    const [bucket, , , wanted] = question;
    const { buckets } = this;
    try {
      const registration = buckets.register(bucket, wanted);
      if (registration !== undefined) await registration;
      if (buckets !== this.buckets) throw new UnavailableError('the node has begun anew', 'not_done');
      const reply = await this.run(...question);
      buckets.mark(bucket);
      return reply;
    } catch (error) {
      if (error instanceof FencedError) this.fenced(buckets.incarnation, error);
      throw error;
    }
  }

  /**
   * As {@link change}, for what this node no longer holds. Undefined: while there is no connection nothing needs to be
   * done, because the next one begins without it.
   */
  async remove(...question: Question): Promise<unknown[] | undefined> {
    try {
      return await this.change(...question);
    } catch (error) {
      // What is being restored was read before this was gone.
      if (!(error instanceof UnavailableError) || this.ready || this.isRestoring) throw error;
      return undefined;
    }
  }

  /** Asks a question. @throws UnavailableError */
  async read(...question: Question): Promise<unknown[]> {
    if (!this.ready) throw new UnavailableError('this node is not in the directory', 'not_done');
    return this.run(...question);
  }

  private async run(...[bucket, script, args, wanted]: Question): Promise<unknown[]> {
    const { hold, buckets } = this;
    const caller = {
      incarnation: buckets.incarnation,
      heldBackUntil: hold.until,
      isKnown: buckets.isMarked(bucket),
      wanted,
    };
    const { answer, isPending, rest } = await callBucket(this, bucket, script, caller, args);
    if (isPending) this.onPending(bucket);
    return [answer, ...rest];
  }

  private checkAlive(): void {
    if (!this.ready) throw new UnavailableError('this node is not in the directory', 'not_done');
    // Frozen for longer than the lease: the others may have been told that we are gone.
    if (this.heartbeat.silenceMs < this.options.leaseMs) return;
    const error = new FencedError();
    this.fenced(this.buckets.incarnation, error);
    throw error;
  }

  private fenced(incarnation: string, { message }: FencedError): void {
    if (incarnation !== this.buckets.incarnation || this.isClosed) return;
    this.logger.warn(`${message}; it announces its connections again`);
    void this.begin();
  }

  private suspend(): void {
    this.ready = false;
    this.isRestoring = false;
    this.attempt++;
  }

  private async begin(): Promise<void> {
    if (this.isClosed) return;
    this.ready = false;
    this.isRestoring = true;
    const attempt = ++this.attempt;
    // A name that was never written down is as good as new.
    if (this.isRecorded || this.buckets.incarnation === '') {
      this.reaper.add(this.buckets);
      this.buckets = new RedisBuckets(this.leases, newIncarnation());
      this.isRecorded = false;
    }
    try {
      const life = (await this.reaper.haveFormersLost()) ? 'lost' : 'new';
      if (attempt !== this.attempt) return;
      const sentAt = performance.now();
      const knownEpoch = this.epoch;
      const answer = await this.leases.beat(this.buckets.incarnation, life, knownEpoch, this.observers.connections);
      this.isRecorded = true;
      this.reaper.lossIsKnown();
      if (attempt !== this.attempt) return;
      this.heartbeat.sentAt = sentAt;
      this.accept(answer);
      // Who comes back to an empty Redis when the others have already counted the missing is announced as new.
      const hasForgotten = knownEpoch !== '' && knownEpoch !== answer.epoch;
      await this.restore(attempt, hasForgotten, hasForgotten && answer.heldBackMs <= 0);
      if (attempt !== this.attempt) return;
      this.ready = true;
      this.isRestoring = false;
      // Whatever happened while we were out of it.
      if (knownEpoch !== '') this.observers.tell('missed');
      this.failures = 0;
      this.reaper.lookForForgottenIn(this.options.leaseMs);
      await this.reaper.retire();
    } catch (error) {
      if (!(error instanceof UnavailableError)) this.logger.error(error);
      // Without an answer it may have been written down.
      if (!(error instanceof UnavailableError && error.outcome === 'not_done')) this.isRecorded = true;
      // A Redis that answers and refuses (full, read-only, no permission) is asked again, but not all the time.
      await pauseBeforeAskingAgain(this.failures++);
      if (attempt === this.attempt && this.link.isOpen) void this.begin();
    }
  }

  private async restore(attempt: number, hasForgotten: boolean, isLate: boolean): Promise<void> {
    const byBucket = groupByBucket(this.observers.entries(hasForgotten));
    const { buckets } = this;
    await buckets.registerAll(Array.from(byBucket, ([bucket, [first]]) => [bucket, first?.wanted]));
    for (const { bucket, args, wanted } of restoreCalls(byBucket, this.reaper.formers, isLate)) {
      if (attempt !== this.attempt) return;
      await this.run(bucket, restoreScript, args, wanted);
      buckets.mark(bucket);
    }
  }

  private async beat(): Promise<void> {
    const { attempt } = this;
    const { incarnation } = this.buckets;
    if (!this.link.isOpen || incarnation === '' || this.isClosed) return;
    const sentAt = performance.now();
    try {
      const answer = await this.leases.beat(incarnation, 'going on', this.epoch, this.observers.connections);
      if (attempt !== this.attempt) return;
      if (answer.epoch !== this.epoch) {
        // Emptied under our feet.
        this.link.reset();
        return;
      }
      this.heartbeat.sentAt = sentAt;
      this.accept(answer);
    } catch (error) {
      if (error instanceof FencedError) this.fenced(incarnation, error);
      else if (!(error instanceof UnavailableError)) this.logger.error(error);
    }
  }

  private accept({ epoch, heldBackUntil, heldBackMs, nextExpiryMs }: Beat): void {
    this.epoch = epoch;
    this.hold.set(heldBackUntil, heldBackMs);
    if (nextExpiryMs < this.options.heartbeatMs) this.reaper.lookIn(Math.max(0, nextExpiryMs));
  }
}
