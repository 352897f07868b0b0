import { Logger } from '@nestjs/common';
import { ServerRedis } from '@nestjs/microservices';
import type { Redis } from 'ioredis';
import { createRedisClient } from '../redis/redis-client.js';
import type { RedisKeys } from '../redis/redis-keys.js';
import type { RedisLink } from '../redis/redis-link.js';
import type { RedisOptions } from '../redis/redis-options.js';
import type { Broker, BrokerReceiver } from './broker.js';
import { RedisSubscriber } from './redis-subscriber.js';

/**
 * The broker over Redis, and a transport strategy of @nestjs/microservices: `app.connectMicroservice({ strategy })`.
 * Topics come and go with the subscribers of this node and carry envelopes; `@EventPattern`s, below a prefix, carry what
 * Nest's ClientRedis emits. It connects when it is attached, and again for ever.
 */
export class RedisBroker extends ServerRedis implements Broker {
  private readonly log = new Logger(RedisBroker.name);
  private readonly subscriber: RedisSubscriber;
  private readonly redis: Redis;
  private receiver: BrokerReceiver | undefined;

  /**
   * @param link where publishes leave.
   * @param publisher the same connection, for answers to Nest's message patterns.
   */
  constructor(
    options: RedisOptions,
    private readonly keys: RedisKeys,
    private readonly link: RedisLink,
    publisher: Redis,
  ) {
    super({});
    this.redis = createRedisClient(options, 'subscribe', options.commandTimeoutMs);
    // The links have said why; this one says what it means.
    this.redis.on('error', () => undefined);
    this.redis.on('messageBuffer', (name: Buffer, bytes: Buffer) => this.receive(name.toString(), bytes));
    this.subscriber = new RedisSubscriber(this.redis);
    this.subscriber.onInterrupted = () => this.interrupted();
    this.subscriber.onResumed = () => this.resumed();
    this.subClient = this.redis;
    this.pubClient = publisher;
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
    await this.link.run('publish', [this.keys.topic(topic), envelope]);
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
    this.redis.disconnect();
    return Promise.resolve();
  }

  /** Connects, if it has not been attached: an application's own broker may stand before it, or in its place. */
  connect(): void {
    if (this.redis.status === 'wait') this.redis.connect().catch(() => undefined);
  }

  private receive(name: string, bytes: Buffer): void {
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
