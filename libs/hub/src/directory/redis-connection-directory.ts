import type { RedisSession } from '../redis/redis-session.js';
import { ConnectionDirectory } from './connection-directory.js';

/** Connection counts of a cluster: each node's travel with its heartbeat. */
export class RedisConnectionDirectory extends ConnectionDirectory {
  private readonly here = new Map<string, number>();

  constructor(private readonly session: RedisSession) {
    super();
    session.observe({ connections: this.here });
  }

  report(appId: string, connections: number): void {
    if (connections === 0) this.here.delete(appId);
    else this.here.set(appId, connections);
    this.session.beatSoon();
  }

  /** Here as they are, elsewhere as they were reported. */
  async count(appId: string): Promise<number> {
    const elsewhere = await this.session.countConnectionsElsewhere(appId);
    return elsewhere + (this.here.get(appId) ?? 0);
  }
}
