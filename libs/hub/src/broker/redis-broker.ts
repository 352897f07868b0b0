import { Logger } from '@nestjs/common';
import { ServerRedis } from '@nestjs/microservices';
import type { Redis } from 'ioredis';
import type { RedisKeys } from '../redis/redis-keys.js';
import type { RedisLink } from '../redis/redis-link.js';
import type { Broker, BrokerReceiver } from './broker.js';
import type { RedisSubscriptions } from './redis-subscriptions.js';

/**
 * The broker over Redis, and a transport strategy of @nestjs/microservices: `app.connectMicroservice({ strategy })`.
 * Topics come and go with the subscribers of this node and carry envelopes; `@EventPattern`s, below a prefix, carry what
 * Nest's ClientRedis emits. It connects when it is attached, and again for ever.
 */
export class RedisBroker extends ServerRedis implements Broker {
  private readonly log = new Logger(RedisBroker.name);
  private receiver: BrokerReceiver | undefined;

  /**
   * @param link where publishes leave.
   * @param publisher where answers to Nest's message patterns leave.
   */
  constructor(
    private readonly keys: RedisKeys,
    private readonly link: RedisLink,
    private readonly subscriber: RedisSubscriptions,
    publisher: Pick<Redis, 'publish'>,
  ) {
    super({});
    this.subscriber.onInterrupted = () => this.interrupted();
    this.subscriber.onResumed = () => this.resumed();
    this.pubClient = publisher as Redis;
    this.subClient = subscriber.client as Redis;
  }

  get isAvailable(): boolean {
    return this.subscriber.isInForce && this.link.isOpen;
  }

  attach(receiver: BrokerReceiver): void {
    this.receiver = receiver;
    this.connect();
  }

  subscribe(topic: string): Promise<void> {
    return this.subscriber.subscribe(this.keys.topic(topic));
  }

  unsubscribe(topic: string): Promise<void> {
    return this.subscriber.unsubscribe(this.keys.topic(topic));
  }

  async publish(topic: string, envelope: Buffer): Promise<void> {
    await this.link.run(this.keys.publish, [this.keys.topic(topic), envelope]);
  }

  /** Nest's part of the life cycle. Redis may be away: its patterns are heard when it comes. */
  override listen(callback: (error?: unknown) => void): Promise<void> {
    for (const pattern of this.messageHandlers.keys()) void this.subscriber.subscribe(this.keys.pattern(pattern));
    callback();
    return Promise.resolve();
  }

  override close(): Promise<void> {
    this.isManuallyClosed = true;
    this.subscriber.close();
    return Promise.resolve();
  }

  /** Connects, if it has not been attached: an application's own broker may stand before it, or in its place. */
  connect(): void {
    this.subscriber.connect();
  }

  /** Something that Redis has sent. */
  receive(name: string, bytes: Buffer): void {
    if (!this.subscriber.has(name)) return;
    const topic = this.keys.topicIn(name);
    if (topic !== undefined) {
      this.receiver?.message(topic, bytes);
      return;
    }
    const pattern = this.keys.patternIn(name);
    if (pattern === undefined) return;
    this.handleMessage(pattern, bytes.toString(), this.pubClient, name).catch((error: unknown) =>
      this.log.error(error),
    );
  }

  private interrupted(): void {
    if (!this.isManuallyClosed) this.log.warn('lost the connection to Redis; clients stay connected');
    this._status$.next('reconnecting' as never);
    this.receiver?.interrupted();
  }

  private resumed(): void {
    this.log.log('connected to Redis');
    this._status$.next('connected' as never);
    this.receiver?.resumed();
  }
}
