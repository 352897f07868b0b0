import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, it } from 'vitest';
import type { RedisNode } from '@pogo/hub';
import {
  brokerContract,
  channelDirectoryContract,
  Chaos,
  commandBusContract,
  commandNoncesContract,
  connectionDirectoryContract,
  eventually,
  rateLimitStoreContract,
  UnreliableBroker,
  UnreliableChannelDirectory,
  userDirectoryContract,
  webhookQueueContract,
  type WebhookQueueNode,
} from '@pogo/hub/testing';

const api = { describe, it, afterEach };

export interface RedisUnderTest {
  /** Of the suites. */
  readonly name: string;
  /** Two nodes of a cluster of their own. */
  twoNodes(): { nodes: [RedisNode, RedisNode]; close(): Promise<void> };
}

/** Every port that has an implementation over Redis. */
export function redisContracts(redis: RedisUnderTest): void {
  brokerContract(api, redis.name, () => {
    const { nodes, close } = redis.twoNodes();
    return { nodes: [nodes[0].broker, nodes[1].broker], close };
  });

  brokerContract(api, `${redis.name}, delayed, reordered and failing`, () => {
    const { nodes, close } = redis.twoNodes();
    const unreliable = (n: 0 | 1) => new UnreliableBroker(nodes[n].broker, new Chaos({ seed: n }));
    return { nodes: [unreliable(0), unreliable(1)], close };
  });

  channelDirectoryContract(api, redis.name, () => {
    const { nodes, close } = redis.twoNodes();
    return { nodes: [nodes[0].channels, nodes[1].channels], broker: nodes[0].broker, isReliable: true, close };
  });

  channelDirectoryContract(api, `${redis.name}, delayed, reordered and failing`, () => {
    const { nodes, close } = redis.twoNodes();
    const unreliable = (n: 0 | 1) => new UnreliableChannelDirectory(nodes[n].channels, new Chaos({ seed: n }));
    return { nodes: [unreliable(0), unreliable(1)], broker: nodes[1].broker, isReliable: false, close };
  });

  userDirectoryContract(api, redis.name, () => {
    const { nodes, close } = redis.twoNodes();
    return { nodes: [nodes[0].users, nodes[1].users], isReliable: true, close };
  });

  commandBusContract(api, redis.name, async () => {
    const { nodes, close } = redis.twoNodes();
    for (const { broker, commands } of nodes) {
      broker.addHandler('command', (command: unknown) => Promise.resolve(commands.receive(command)) as never, true);
      await broker.listen(() => undefined);
      await new Promise<void>((resumed) =>
        broker.attach({ message: () => undefined, interrupted: () => undefined, resumed }),
      );
    }
    return { nodes: [nodes[0].commands, nodes[1].commands], close };
  });

  connectionDirectoryContract(api, redis.name, async () => {
    const { nodes, close } = redis.twoNodes();
    await eventually(() => nodes.every(({ channels }) => channels.isAvailable));
    return { nodes: [nodes[0].connections, nodes[1].connections], close };
  });

  rateLimitStoreContract(api, redis.name, async () => {
    const { nodes, close } = redis.twoNodes();
    const [{ rateLimits }] = nodes;
    await answers((probe) => rateLimits.take(probe, { perSecond: 1, burst: 1 }));
    // Redis's clock is nobody's to move, and not the one by which we wait: a little longer is long enough on both.
    return { store: rateLimits, advance: (ms) => sleep(Math.min(ms, 400) + 10), close };
  });

  commandNoncesContract(api, redis.name, async () => {
    const { nodes, close } = redis.twoNodes();
    const nonces = [nodes[0].nonces, nodes[1].nonces] as const;
    for (const [n, node] of nonces.entries()) await answers((probe) => node.claim(`${n}-${probe}`, 1_000));
    // Redis's clock is nobody's to move.
    return { nodes: nonces, advance: (ms) => sleep(ms), close };
  });

  webhookQueueContract(api, redis.name, async () => {
    const { nodes, close } = redis.twoNodes();
    await eventually(() => nodes.every(({ channels }) => channels.isAvailable));
    return { nodes: [webhookNode(nodes[0]), webhookNode(nodes[1])], close };
  });
}

function webhookNode({ webhooks: queue, channels }: RedisNode): WebhookQueueNode {
  return {
    queue,
    join: async (request) => {
      await channels.join(request);
    },
    leave: async (departure) => {
      await channels.leave(departure);
    },
  };
}

/** Resolves when an answer came, of every server that there may be. */
async function answers(ask: (probe: string) => Promise<unknown>): Promise<void> {
  await eventually(async () => {
    const all = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => ask(`probe-${index}`)));
    return all.every(({ status }) => status === 'fulfilled');
  });
}
