import { Logger } from '@nestjs/common';
import { afterAll, beforeAll } from 'vitest';
import { RedisClusterServers } from '../support/redis-cluster.js';
import { redisContracts } from '../support/redis-contracts.js';
import { startNodes } from '../support/redis-nodes.js';

let redis: RedisClusterServers;

beforeAll(async () => {
  Logger.overrideLogger(false);
  redis = await RedisClusterServers.start();
});
afterAll(() => redis.stop());

redisContracts({
  name: 'Redis Cluster',
  twoNodes: () =>
    startNodes({ clusterNodes: redis.servers.slice(0, 2).map(({ port }) => ({ host: '127.0.0.1', port })) }),
});
