import calculateSlot from 'cluster-key-slot';
import { RedisLane } from './redis-lane.js';
import { RedisLink, type RedisArgument } from './redis-link.js';
import type { RedisPlace } from './redis-options.js';
import type { RedisScript } from './redis-script.js';
import { placeOf, type RedisAddress, type RedisSlots } from './redis-slots.js';

/** A server that does not answer any more says CLUSTERDOWN as soon as the others have noticed. */
const CLUSTER_DOWN = 'CLUSTERDOWN';

/**
 * The way to all masters of a Redis Cluster, each with a connection of its own. It is open when there is one to each,
 * and lost as soon as one is, or another server has taken a master's place: what that has not heard of is lost.
 */
export class RedisClusterLink extends RedisLink {
  private readonly shards = new Map<RedisAddress, RedisLink>();
  private readonly lanes = new Map<number, RedisLane>();
  private open = false;
  private isClosed = false;

  /**
   * @param connect a link to one server.
   * @param patienceMs how long a command waits while its slot is on its way.
   */
  constructor(
    private readonly slots: RedisSlots,
    private readonly connectTo: (place: RedisPlace) => RedisLink,
    private readonly patienceMs: number,
  ) {
    super();
    slots.observe(this);
  }

  get isOpen(): boolean {
    return this.open;
  }

  get servers(): readonly RedisLink[] {
    return [...this.shards.values()];
  }

  get isInTrouble(): boolean {
    return !this.open && !this.isClosed;
  }

  connect(): void {
    this.slots.start();
  }

  reset(): void {
    for (const shard of this.shards.values()) shard.reset();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.open = false;
    await Promise.all(Array.from(this.shards.values(), (shard) => shard.close()));
  }

  run(command: string, args: readonly RedisArgument[]): Promise<unknown> {
    return this.ask(args[0] as string | Buffer, (link) => link.run(command, args));
  }

  /**
   * A script touches more keys than it is called with. A second one that is never there has Redis turn the call away
   * as long as the slot is on its way, instead of running it where half of the keys are.
   */
  runScript({ digest }: RedisScript, key: string, args: readonly RedisArgument[]): Promise<unknown> {
    const tagged = key.slice(0, key.indexOf('}') + 1);
    return this.ask(key, (link) => link.run('evalsha', [digest, 2, key, `${tagged}:~`, ...args]));
  }

  /** Slots have other owners. */
  moved(): void {
    if (this.isClosed) return;
    const { masters } = this.slots;
    for (const [address, shard] of this.shards) {
      if (masters.has(address)) continue;
      this.shards.delete(address);
      void shard.close();
      // Its place may have been taken by a replica that does not know the last of it.
      this.lost();
    }
    for (const address of masters) {
      if (this.shards.has(address)) continue;
      const shard = this.connectTo(placeOf(address));
      shard.onOpen = () => this.check();
      shard.onLost = () => {
        if (this.shards.get(address) === shard) this.lost();
      };
      this.shards.set(address, shard);
      shard.connect();
    }
    this.check();
  }

  private check(): void {
    if (this.open || this.isClosed || !this.slots.isComplete) return;
    for (const shard of this.shards.values()) if (!shard.isOpen) return;
    this.open = true;
    this.onOpen();
  }

  private lost(): void {
    this.slots.doubt();
    if (!this.open) return;
    this.open = false;
    this.onLost();
  }

  private ask(key: string | Buffer, send: (link: RedisLink) => Promise<unknown>): Promise<unknown> {
    const slot = calculateSlot(key);
    let lane = this.lanes.get(slot);
    if (lane === undefined) {
      lane = new RedisLane({
        link: () => this.shards.get(this.slots.ownerOf(slot) ?? ''),
        redirected: ({ owner }) => this.slots.redirected(slot, owner),
        patienceMs: this.patienceMs,
        onIdle: () => this.lanes.delete(slot),
      });
      this.lanes.set(slot, lane);
    }
    return lane.run(send).catch((error: unknown) => {
      if ((error as Error).message.startsWith(CLUSTER_DOWN)) this.slots.doubt();
      throw error;
    });
  }
}
