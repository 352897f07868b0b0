import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { LogPause } from '../log-pause.js';
import type { RedisPlace } from './redis-options.js';

export const SLOTS = 16_384;

/** While all is well somebody may still have moved slots. */
const LOOK_MS = 3_000;
/** At first, and longer each time. */
const LOOK_IN_TROUBLE_MS = 100;
const LONGEST_LOOK_IN_TROUBLE_MS = 1_000;

/** Less than what was turned away waits before it is sent again. */
const GATHER_MS = 20;

/** A server, as `host:port`. */
export type RedisAddress = string;

export interface SlotObserver {
  /** Slots have other owners now. */
  moved(): void;
  /** Something cannot be reached that should be, according to what is known. */
  readonly isInTrouble: boolean;
}

type Server = readonly [host: string | null, port: number, ...more: unknown[]];
type SlotRange = [first: number, last: number, ...servers: Server[]];

/**
 * Which server of a Redis Cluster has which slots, as one of them says. While something is wrong another is asked each
 * time, because one that is cut off from the others knows it last.
 */
export class RedisSlots {
  private readonly logger = new Logger(RedisSlots.name);
  private readonly pause = new LogPause();
  private owners: (RedisAddress | undefined)[] = [];
  private servers: RedisAddress[];
  private readonly observers: SlotObserver[] = [];
  private client: Redis | undefined;
  private asked: RedisAddress = '';
  private timer: NodeJS.Timeout | undefined;
  private telling: NodeJS.Timeout | undefined;
  private isAsking = false;
  private troubles = 0;
  private isDoubted = false;
  private isClosed = false;

  /**
   * @param seeds servers to begin with.
   * @param dial a connection that is not made yet, and is not made again.
   */
  constructor(
    private readonly seeds: readonly RedisPlace[],
    private readonly dial: (place: RedisPlace) => Redis,
  ) {
    this.servers = seeds.map(addressOf);
  }

  /** Each has some slots. */
  get masters(): ReadonlySet<RedisAddress> {
    return new Set(this.owners.filter((owner) => owner !== undefined));
  }

  /** Every slot has an owner. */
  get isComplete(): boolean {
    return this.owners.length === SLOTS && !this.owners.includes(undefined);
  }

  ownerOf(slot: number): RedisAddress | undefined {
    return this.owners[slot];
  }

  observe(observer: SlotObserver): void {
    this.observers.push(observer);
  }

  start(): void {
    if (this.timer === undefined && !this.isClosed) this.lookIn(0);
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    clearTimeout(this.telling);
    this.client?.disconnect();
  }

  /** A server has turned a command away: the slot is `owner`'s, or on its way. */
  redirected(slot: number, owner: RedisAddress | undefined): void {
    if (owner !== undefined && this.owners[slot] !== owner) {
      this.owners[slot] = owner;
      if (!this.servers.includes(owner)) this.servers.push(owner);
      // Of a master that was replaced every slot in use is turned away, one after the other.
      this.telling ??= setTimeout(() => this.tell(), GATHER_MS);
    }
    this.doubt();
  }

  /** Something is not as it is known: asks another server, soon. */
  doubt(): void {
    if (this.isDoubted || this.isClosed) return;
    this.isDoubted = true;
    this.troubles = 0;
    this.lookIn(LOOK_IN_TROUBLE_MS / 2);
  }

  private lookIn(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), ms);
  }

  private async look(): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    const wasInTrouble = this.isDoubted || this.isInTrouble;
    this.isDoubted = false;
    if (wasInTrouble) this.forget();
    let hasAnswer = false;
    try {
      this.take(await this.ask());
      hasAnswer = true;
    } catch (error) {
      this.forget();
      if (!this.isClosed && this.pause.isOver()) this.logger.warn(`Redis Cluster: ${(error as Error).message}`);
    }
    this.isAsking = false;
    if (this.isClosed) return;
    if (!hasAnswer || this.isDoubted || this.isInTrouble) {
      this.lookIn(Math.min(LONGEST_LOOK_IN_TROUBLE_MS, LOOK_IN_TROUBLE_MS * ++this.troubles));
    } else {
      this.troubles = 0;
      this.lookIn(LOOK_MS);
    }
  }

  private get isInTrouble(): boolean {
    return !this.isComplete || this.observers.some((observer) => observer.isInTrouble);
  }

  /** The next one is asked by another connection. */
  private forget(): void {
    this.client?.disconnect();
    this.client = undefined;
  }

  private async ask(): Promise<readonly SlotRange[]> {
    if (this.client === undefined) {
      this.asked = this.servers[(this.servers.indexOf(this.asked) + 1) % this.servers.length] ?? '';
      this.client = this.dial(placeOf(this.asked));
      let cause: unknown;
      this.client.on('error', (error) => (cause ??= error));
      // What it rejects with says only that there is no connection.
      await this.client.connect().catch((error: unknown) => Promise.reject((cause ?? error) as Error));
    }
    return this.client.cluster('SLOTS');
  }

  private take(ranges: readonly SlotRange[]): void {
    const asked = placeOf(this.asked);
    const owners = new Array<RedisAddress | undefined>(SLOTS).fill(undefined);
    const servers = new Set<RedisAddress>();
    for (const [first, last, ...all] of ranges) {
      const [owner, ...replicas] = all.map((server) => named(server, asked.host));
      owners.fill(owner, first, last + 1);
      for (const server of [owner, ...replicas]) if (server !== undefined) servers.add(server);
    }
    // The seeds too: they may be names that lead to whatever is there by then.
    this.servers = [...servers, ...this.seeds.map(addressOf).filter((seed) => !servers.has(seed))];
    if (owners.every((owner, slot) => owner === this.owners[slot]) && this.owners.length === SLOTS) return;
    this.owners = owners;
    this.tell();
  }

  private tell(): void {
    clearTimeout(this.telling);
    this.telling = undefined;
    for (const observer of this.observers) observer.moved();
  }
}

export function addressOf({ host, port }: RedisPlace): RedisAddress {
  return `${host}:${port}`;
}

export function placeOf(address: RedisAddress): RedisPlace {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

/** A server that does not know its own name is where it was asked; one that nobody knows the name of is '?'. */
function named([host, port]: Server, askedHost: string): RedisAddress | undefined {
  const text = host === null || host === '' ? askedHost : host;
  return text === '?' || port === 0 ? undefined : addressOf({ host: text, port });
}
