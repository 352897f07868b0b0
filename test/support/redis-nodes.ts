import { RedisNode, RedisOptions } from '@pogo/hub';

let prefixes = 0;

/** Two nodes in this process, of a cluster of their own. */
export function startNodes(options: Partial<RedisOptions>): {
  nodes: [RedisNode, RedisNode];
  prefix: string;
  close(): Promise<void>;
} {
  const prefix = `contract-${++prefixes}`;
  const node = () => new RedisNode(new RedisOptions({ ...options, prefix }));
  const nodes: [RedisNode, RedisNode] = [node(), node()];
  for (const each of nodes) {
    each.onModuleInit();
    // What Nest does with a transport strategy.
    void each.broker.listen(() => undefined);
  }
  return {
    nodes,
    prefix,
    close: async () => {
      await Promise.all(nodes.map((each) => each.onApplicationShutdown()));
    },
  };
}
