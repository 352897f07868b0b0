import type { RedisKeys } from '../redis/redis-keys.js';
import type { RedisLink } from '../redis/redis-link.js';
import { RedisScript } from '../redis/redis-script.js';
import { APPEND, EXPIRE } from './redis-endpoint-scripts.js';

const append = new RedisScript(APPEND);
const expire = new RedisScript(EXPIRE);

/** Sent to Redis when the directory's link opens. */
export const ENDPOINT_SCRIPTS = [append, expire];

/** What an endpoint that fails may be owed: with a hundred bytes each some MB. */
const MAX_ENTRIES = 65_536;

export interface EndpointEntry {
  readonly id: string;
  /** The event as it stands in a webhook. */
  readonly json: string;
}

/** What each endpoint of webhooks is still to be told. Every method may throw an UnavailableError. */
export class RedisEndpointStreams {
  /** Endpoints that are on the list. */
  private readonly listed = new Set<string>();

  constructor(
    private readonly link: RedisLink,
    private readonly keys: RedisKeys,
  ) {}

  /**
   * Adds what came from a bucket, once however often it is said. Resolves to how many there was no room for.
   * @param entries by the ids that they have there.
   */
  async append(appId: string, endpointId: string, bucket: string, entries: readonly EndpointEntry[]): Promise<number> {
    if (!this.listed.has(endpointId)) {
      await this.link.run('hset', [this.list, endpointId, appId]);
      this.listed.add(endpointId);
    }
    const args = [bucket, MAX_ENTRIES, ...entries.flatMap(({ id, json }) => [id, json])];
    return Number(await this.link.runScript(append, this.keyOf(endpointId), args));
  }

  /** The oldest entries. */
  async read(endpointId: string, most: number): Promise<EndpointEntry[]> {
    const rows = await this.link.run('xrange', [this.keyOf(endpointId), '-', '+', 'COUNT', most]);
    return (rows as [Buffer, Buffer[]][]).map(([id, fields]) => ({ id: id.toString(), json: String(fields[1]) }));
  }

  async remove(endpointId: string, ids: readonly string[]): Promise<void> {
    await this.link.run('xdel', [this.keyOf(endpointId), ...ids]);
  }

  async hasEntries(endpointId: string): Promise<boolean> {
    return Number(await this.link.run('xlen', [this.keyOf(endpointId)])) > 0;
  }

  /** Forgets what has waited for longer. Resolves to how many entries that were. */
  async expire(endpointId: string, ageMs: number): Promise<number> {
    return Number(await this.link.runScript(expire, this.keyOf(endpointId), [ageMs]));
  }

  /** Nobody wants to be told there any more. */
  async forget(endpointId: string): Promise<void> {
    this.listed.delete(endpointId);
    await this.link.run('hdel', [this.list, endpointId]);
    await this.link.run('del', [this.keyOf(endpointId), `${this.keys.endpoint(endpointId)}:s`]);
  }

  /** The data may be gone, and the list with them. */
  beginAnew(): void {
    this.listed.clear();
  }

  private get list(): string {
    return `${this.keys.nodes}:g`;
  }

  private keyOf(endpointId: string): string {
    return `${this.keys.endpoint(endpointId)}:q`;
  }
}
