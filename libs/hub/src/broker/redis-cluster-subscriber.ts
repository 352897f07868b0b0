import calculateSlot from 'cluster-key-slot';
import type { Redis } from 'ioredis';
import type { RedisPlace } from '../redis/redis-options.js';
import { placeOf, type RedisAddress, type RedisSlots } from '../redis/redis-slots.js';
import { plainly, RedisSubscriber, type RedisSubscriberSettings } from './redis-subscriber.js';
import { RedisSubscriptions } from './redis-subscriptions.js';

/** Longer than it takes to hear where they are now. */
const DROPPED_PAUSE_MS = 200;

/** One connection: of a master, for what is in its slots, or for what a whole cluster hears. */
type Place = `${'shard' | 'all'} ${RedisAddress}`;

/**
 * Subscriptions in a Redis Cluster: topics are sharded, so each is heard from the master that has its slot, and follows
 * it. Message patterns are not, because who sends them may know one server only; they are heard on connections of their
 * own, since a client that drops its last topic would forget that it is subscribed to anything.
 */
export class RedisClusterSubscriber extends RedisSubscriptions {
  private readonly places = new Map<Place, RedisSubscriber>();
  /** Where what is wanted is subscribed to; undefined while nobody has its slot. */
  private readonly wanted = new Map<string, Place | undefined>();
  private inForce = false;
  private isClosed = false;
  /** How many times something has moved that is not in force at its new place yet. */
  private moves = 0;
  /** Wait for a slot to have an owner. */
  private homeless: (() => void)[] = [];

  /**
   * @param isPattern of a name that every server of the cluster hears.
   * @param connectTo a connection that is not made yet, and is made again for ever.
   * @param onMessage with what somebody has published.
   */
  constructor(
    private readonly slots: RedisSlots,
    private readonly isPattern: (name: string) => boolean,
    private readonly connectTo: (place: RedisPlace) => Redis,
    private readonly onMessage: (name: string, bytes: Buffer) => void,
  ) {
    super();
    slots.observe(this);
  }

  get isInForce(): boolean {
    return this.inForce;
  }

  get isInTrouble(): boolean {
    return !this.inForce && !this.isClosed;
  }

  connect(): void {
    this.slots.start();
  }

  async subscribe(name: string): Promise<void> {
    if (!this.wanted.has(name)) this.wanted.set(name, this.placeOf(name));
    for (;;) {
      const place = this.wanted.get(name);
      if (place === undefined) await new Promise<void>((resolve) => this.homeless.push(resolve));
      else await this.at(place).subscribe(name);
      // It may have moved on meanwhile, or be unwanted.
      if (!this.wanted.has(name) || (place !== undefined && this.wanted.get(name) === place)) return;
    }
  }

  async unsubscribe(name: string): Promise<void> {
    const place = this.wanted.get(name);
    this.wanted.delete(name);
    if (place !== undefined) await this.places.get(place)?.unsubscribe(name);
  }

  has(name: string): boolean {
    return this.wanted.has(name);
  }

  close(): void {
    this.isClosed = true;
    for (const subscriber of this.places.values()) subscriber.close();
  }

  /** Slots have other owners. */
  moved(): void {
    if (this.isClosed) return;
    const { masters } = this.slots;
    for (const master of masters) this.at(`shard ${master}`);
    const moved = [...this.wanted].filter(([name, place]) => this.placeOf(name) !== place);
    for (const [name, place] of moved) {
      this.wanted.set(name, this.placeOf(name));
      if (place !== undefined) void this.places.get(place)?.unsubscribe(name);
    }
    for (const [place, subscriber] of this.places) {
      if (masters.has(addressIn(place))) continue;
      this.places.delete(place);
      subscriber.close();
    }
    for (const resolve of this.homeless.splice(0)) resolve();
    if (moved.length > 0) void this.follow(moved.map(([name]) => name));
    this.check();
  }

  /** Between the two places nothing is heard. */
  private async follow(names: readonly string[]): Promise<void> {
    this.moves++;
    this.interrupt();
    await Promise.all(names.filter((name) => this.wanted.has(name)).map((name) => this.subscribe(name)));
    this.moves--;
    this.check();
  }

  private interrupt(): void {
    this.slots.doubt();
    if (!this.inForce) return;
    this.inForce = false;
    this.onInterrupted();
  }

  private check(): void {
    if (this.inForce || this.isClosed || this.moves > 0 || !this.slots.isComplete) return;
    for (const { isInForce } of this.places.values()) if (!isInForce) return;
    this.inForce = true;
    this.onResumed();
  }

  private placeOf(name: string): Place | undefined {
    const owner = this.slots.ownerOf(calculateSlot(name));
    if (owner === undefined) return undefined;
    return this.isPattern(name) ? `all ${owner}` : `shard ${owner}`;
  }

  private at(place: Place): RedisSubscriber {
    const known = this.places.get(place);
    if (known !== undefined) return known;
    const redis = this.connectTo(placeOf(addressIn(place)));
    // The links have said why.
    redis.on('error', () => undefined);
    // A server that was frozen when it was left may still send what is heard from its successor.
    const receive = (name: Buffer, bytes: Buffer) => {
      const text = name.toString();
      if (this.wanted.get(text) === place && this.places.get(place) === subscriber) this.onMessage(text, bytes);
    };
    redis.on('messageBuffer', receive);
    redis.on('smessageBuffer', receive);
    const subscriber = new RedisSubscriber(redis, place.startsWith('all') ? plainly(redis) : sharded(redis));
    redis.on('moved', () => this.dropped(subscriber));
    subscriber.onInterrupted = () => {
      // One that was left ends later.
      if (this.places.get(place) === subscriber) this.interrupt();
    };
    subscriber.onResumed = () => this.check();
    this.places.set(place, subscriber);
    // The new connection is a part of it: until it is there, not everything is heard.
    if (this.inForce) this.interrupt();
    subscriber.connect();
    return subscriber;
  }

  /** Redis has ended subscriptions, because their slots have moved. */
  private dropped(subscriber: RedisSubscriber): void {
    this.slots.doubt();
    // Those that are not elsewhere by then are asked for again.
    setTimeout(() => subscriber.reset(), DROPPED_PAUSE_MS).unref();
  }
}

function sharded(redis: Redis): RedisSubscriberSettings {
  return {
    groupOf: calculateSlot,
    subscribe: (names) => redis.ssubscribe(...names),
    unsubscribe: (names) => redis.sunsubscribe(...names),
  };
}

function addressIn(place: Place): RedisAddress {
  return place.slice(place.indexOf(' ') + 1);
}
