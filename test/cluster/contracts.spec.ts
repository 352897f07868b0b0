import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completeApp } from '@pogo/hub';
import { eventually } from '@pogo/hub/testing';
import { RedisServer } from '../support/redis.js';
import { redisContracts } from '../support/redis-contracts.js';
import { startNodes } from '../support/redis-nodes.js';

let redis: RedisServer;

beforeAll(async () => {
  Logger.overrideLogger(false);
  redis = await RedisServer.start();
});
afterAll(() => redis.stop());

const twoNodes = () => startNodes({ port: redis.port });

redisContracts({ name: 'Redis', twoNodes });

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
