import type { RedisLeases } from './redis-leases.js';

/** In front of the name of a bucket in which something may wait; no app id begins so. */
const LOOKED_AFTER = '+';

function entryOf(bucket: string, wanted: string): string {
  return wanted === '' ? bucket : LOOKED_AFTER + bucket;
}

/** The buckets in which one incarnation has been. */
export class RedisBuckets {
  /** Undefined: it is done. */
  private readonly registered = new Map<string, Promise<void> | undefined>();
  private readonly marked = new Set<string>();

  constructor(
    private readonly leases: RedisLeases,
    readonly incarnation: string,
  ) {}

  /** Where the incarnation has been, or has tried to be. */
  get names(): readonly string[] {
    return Array.from(this.registered.keys(), (entry) => entry.replace(LOOKED_AFTER, ''));
  }

  /**
   * The reaper must know where to look, before there is something; and who looks after what waits there, where the app
   * wants to be told something. Undefined: they do.
   */
  register(bucket: string, wanted = ''): Promise<void> | undefined {
    const entry = this.registered.has(LOOKED_AFTER + bucket) ? LOOKED_AFTER + bucket : entryOf(bucket, wanted);
    if (this.registered.has(entry)) return this.registered.get(entry);
    const registration = this.leases.register(this.incarnation, [entry]).then(
      () => void this.registered.set(entry, undefined),
      (error: unknown) => {
        this.registered.delete(entry);
        throw error;
      },
    );
    this.registered.set(entry, registration);
    return registration;
  }

  /** @param buckets with what their apps want. @throws FencedError, UnavailableError */
  async registerAll(buckets: readonly (readonly [bucket: string, wanted: string | undefined])[]): Promise<void> {
    const entries = buckets.map(([bucket, wanted = '']) => entryOf(bucket, wanted));
    await this.leases.register(this.incarnation, entries);
    for (const entry of entries) this.registered.set(entry, undefined);
  }

  /** Whether one of them has lost what it knew. @throws UnavailableError */
  async haveLost(): Promise<boolean> {
    const all = Array.from(this.marked, (bucket) => this.leases.hasLost(this.incarnation, bucket));
    return (await Promise.all(all)).some(Boolean);
  }

  /** From now on the incarnation's mark must be there, or the bucket was lost. */
  mark(bucket: string): void {
    this.marked.add(bucket);
  }

  unmark(): void {
    this.marked.clear();
  }

  isMarked(bucket: string): boolean {
    return this.marked.has(bucket);
  }
}
