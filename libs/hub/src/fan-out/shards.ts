/**
 * Counts what is pending, per shard of the channels, so that no part of them can fill the memory. Shards only count:
 * what is written next is decided between channels.
 */
export class Shards {
  private readonly pending: Uint32Array;

  /** @param capacity events that one shard holds. */
  constructor(
    count: number,
    private readonly capacity: number,
  ) {
    this.pending = new Uint32Array(count);
  }

  /** The shard of a topic: FNV-1a, 32 bit, over its UTF-16 code units. */
  shardOf(topic: string): number {
    let hash = 0x811c9dc5;
    for (let i = 0; i < topic.length; i++) hash = Math.imul(hash ^ topic.charCodeAt(i), 0x01000193);
    return (hash >>> 0) % this.pending.length;
  }

  hasRoom(shard: number, events: number): boolean {
    return (this.pending[shard] as number) + events <= this.capacity;
  }

  add(shard: number): void {
    (this.pending[shard] as number)++;
  }

  remove(shard: number, events: number): void {
    (this.pending[shard] as number) -= events;
  }
}
