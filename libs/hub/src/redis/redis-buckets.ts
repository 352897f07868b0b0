import type { RedisLeases } from './redis-leases.js';

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
    return [...this.registered.keys()];
  }

  /** The reaper must know where to look, before there is something. Undefined: it does. */
  register(bucket: string): Promise<void> | undefined {
    if (this.registered.has(bucket)) return this.registered.get(bucket);
    const registration = this.leases.register(this.incarnation, [bucket]).then(
      () => void this.registered.set(bucket, undefined),
      (error: unknown) => {
        this.registered.delete(bucket);
        throw error;
      },
    );
    this.registered.set(bucket, registration);
    return registration;
  }

  /** @throws FencedError, UnavailableError */
  async registerAll(buckets: readonly string[]): Promise<void> {
    await this.leases.register(this.incarnation, buckets);
    for (const bucket of buckets) this.registered.set(bucket, undefined);
  }

  /** From now on the incarnation's mark must be there, or the bucket was lost. */
  mark(bucket: string): void {
    this.marked.add(bucket);
  }

  isMarked(bucket: string): boolean {
    return this.marked.has(bucket);
  }
}
