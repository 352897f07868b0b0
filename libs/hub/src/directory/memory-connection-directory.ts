import { ConnectionDirectory } from './connection-directory.js';

/** Connection counts of one process; directories that share `nodes` stand for the nodes of a cluster. */
export class MemoryConnectionDirectory extends ConnectionDirectory {
  private readonly counts = new Map<string, number>();

  constructor(private readonly nodes: Set<ReadonlyMap<string, number>> = new Set()) {
    super();
    nodes.add(this.counts);
  }

  report(appId: string, connections: number): void {
    if (connections === 0) this.counts.delete(appId);
    else this.counts.set(appId, connections);
  }

  count(appId: string): Promise<number> {
    let sum = 0;
    for (const counts of this.nodes) sum += counts.get(appId) ?? 0;
    return Promise.resolve(sum);
  }
}
