import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { completeApp, RedisNode, RedisOptions } from '@pogo/hub';
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
import { RedisServer } from '../support/redis.js';

const api = { describe, it, afterEach };
let redis: RedisServer;
let prefixes = 0;

beforeAll(async () => {
  Logger.overrideLogger(false);
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());

/** Two nodes of a cluster of their own. */
function twoNodes(): { nodes: [RedisNode, RedisNode]; close(): Promise<void> } {
  const prefix = `contract-${++prefixes}`;
  const nodes = [0, 1].map(() => new RedisNode(new RedisOptions({ port: redis.port, prefix }))) as [
    RedisNode,
    RedisNode,
  ];
  for (const node of nodes) {
    node.onModuleInit();
    // What Nest does with a transport strategy.
    void node.broker.listen(() => undefined);
  }
  return {
    nodes,
    close: async () => {
      await Promise.all(nodes.map((node) => node.onApplicationShutdown()));
    },
  };
}

brokerContract(api, 'Redis', () => {
  const { nodes, close } = twoNodes();
  return { nodes: [nodes[0].broker, nodes[1].broker], close };
});

brokerContract(api, 'Redis, delayed, reordered and failing', () => {
  const { nodes, close } = twoNodes();
  const unreliable = (n: 0 | 1) => new UnreliableBroker(nodes[n].broker, new Chaos({ seed: n }));
  return { nodes: [unreliable(0), unreliable(1)], close };
});

channelDirectoryContract(api, 'Redis', () => {
  const { nodes, close } = twoNodes();
  return { nodes: [nodes[0].channels, nodes[1].channels], broker: nodes[0].broker, isReliable: true, close };
});

channelDirectoryContract(api, 'Redis, delayed, reordered and failing', () => {
  const { nodes, close } = twoNodes();
  const unreliable = (n: 0 | 1) => new UnreliableChannelDirectory(nodes[n].channels, new Chaos({ seed: n }));
  return { nodes: [unreliable(0), unreliable(1)], broker: nodes[1].broker, isReliable: false, close };
});

userDirectoryContract(api, 'Redis', () => {
  const { nodes, close } = twoNodes();
  return { nodes: [nodes[0].users, nodes[1].users], isReliable: true, close };
});

commandBusContract(api, 'Redis', async () => {
  const { nodes, close } = twoNodes();
  for (const { broker, commands } of nodes) {
    broker.addHandler('command', (command: unknown) => Promise.resolve(commands.receive(command)) as never, true);
    await broker.listen(() => undefined);
    await new Promise<void>((resumed) =>
      broker.attach({ message: () => undefined, interrupted: () => undefined, resumed }),
    );
  }
  return { nodes: [nodes[0].commands, nodes[1].commands], close };
});

connectionDirectoryContract(api, 'Redis', async () => {
  const { nodes, close } = twoNodes();
  await eventually(() => nodes.every(({ channels }) => channels.isAvailable));
  return { nodes: [nodes[0].connections, nodes[1].connections], close };
});

rateLimitStoreContract(api, 'Redis', async () => {
  const { nodes, close } = twoNodes();
  const [{ rateLimits }] = nodes;
  await eventually(async () => {
    try {
      return (await rateLimits.take('probe', { perSecond: 1, burst: 1 })).remaining >= 0;
    } catch {
      return false;
    }
  });
  // Redis's clock is nobody's to move.
  return { store: rateLimits, advance: (ms) => sleep(Math.min(ms, 400)), close };
});

commandNoncesContract(api, 'Redis', async () => {
  const { nodes, close } = twoNodes();
  const nonces = [nodes[0].nonces, nodes[1].nonces] as const;
  for (const [n, node] of nonces.entries()) {
    await eventually(() =>
      node.claim(`probe-${n}`, 1_000).then(
        () => true,
        () => false,
      ),
    );
  }
  // Redis's clock is nobody's to move.
  return { nodes: nonces, advance: (ms) => sleep(ms), close };
});

webhookQueueContract(api, 'Redis', async () => {
  const { nodes, close } = twoNodes();
  await eventually(() => nodes.every(({ channels }) => channels.isAvailable));
  return { nodes: [webhookNode(nodes[0]), webhookNode(nodes[1])], close };
});

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

describe('A node that has told webhooks', () => {
  it('leaves no connection behind', async () => {
    const { nodes, close } = twoNodes();
    await eventually(() => nodes.every(({ channels }) => channels.isAvailable));
    const app = completeApp({ id: 'app', key: 'k', secret: 's', webhooks: [{ url: 'http://a/' }] });
    const told = new Promise<void>((resolve) => {
      for (const { webhooks } of nodes) {
        webhooks.attach({
          endpointsOf: () => Promise.resolve(app.webhooks),
          send: () => Promise.resolve(resolve()),
          dropped: () => undefined,
        });
      }
    });
    nodes[0].webhooks.add(app, { name: 'cache_miss', channel: 'cache-a' });
    await told;
    const names = async () => String(await redis.inspector.client('LIST')).match(/ name=pogo-[a-z-]+/g) ?? [];
    expect((await names()).some((name) => name.includes('webhooks'))).toBe(true);
    await close();
    await eventually(async () => (await names()).length === 0);
  });
});
