import { Logger } from '@nestjs/common';
import { UnavailableError } from '../unavailable-error.js';
import type { RedisLeases } from './redis-leases.js';

const KEYS_PER_CALL = 1_000;

/**
 * Finds those who hold something in a bucket and whom nobody knows. In a cluster the list of the living can be lost, or
 * its latest entries, while buckets on other servers are not; and if a node dies at that time, nobody would look where
 * it has been. So after each interruption one of the nodes looks into all buckets, when everybody who lives has come back.
 */
export class RedisCensus {
  private readonly logger = new Logger(RedisCensus.name);
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param found there is somebody to clean up after.
   */
  constructor(
    private readonly leases: RedisLeases,
    private readonly found: () => void,
  ) {}

  /** @param ms how long those who live may take to come back. */
  plan(ms: number): void {
    clearTimeout(this.timer);
    // Where all keys are in one place, what was written later is not kept without what was written before.
    if (this.leases.keys.isSharded) this.timer = setTimeout(() => void this.look(ms / 4), ms).unref();
  }

  close(): void {
    clearTimeout(this.timer);
  }

  /** @param claimMs how long nobody else does so. */
  private async look(claimMs: number): Promise<void> {
    const { link, keys } = this.leases;
    try {
      const chosen = await link.run('set', [`${keys.nodes}:q`, '1', 'NX', 'PX', Math.round(claimMs)]);
      if (chosen === null) return;
      for (const server of link.servers) {
        let cursor = '0';
        do {
          const reply = await server.run('scan', [cursor, 'MATCH', keys.visitors, 'COUNT', KEYS_PER_CALL]);
          const [next, found] = reply as [Buffer, Buffer[]];
          cursor = next.toString();
          await this.adopt(found.map(String));
        } while (cursor !== '0');
      }
    } catch (error) {
      if (!(error instanceof UnavailableError)) this.logger.error(error);
      // The next interruption, which is this one, ends with another census.
    }
  }

  private async adopt(found: readonly string[]): Promise<void> {
    const { link, keys } = this.leases;
    const held: [incarnation: string, bucket: string][] = [];
    for (const key of found) {
      const bucket = keys.bucketOfVisitors(key);
      if (bucket === undefined) continue;
      for (const incarnation of (await link.run('smembers', [key])) as Buffer[])
        held.push([String(incarnation), bucket]);
    }
    if ((await this.leases.adopt(held)) > 0) this.found();
  }
}
