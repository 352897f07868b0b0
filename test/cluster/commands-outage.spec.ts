import { PublishStatus } from '@pogo/publisher';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Cluster } from '../support/cluster.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { caughtUp, PATIENTLY } from '../support/observer.js';
import { COMMAND_SECRET, TestPublisher } from '../support/publisher.js';
import { TcpProxy } from '../support/tcp-proxy.js';

let cluster: Cluster;
let proxy: TcpProxy;
beforeAll(async () => {
  cluster = await Cluster.start({ nodes: 2, settings: { command_secret: COMMAND_SECRET } });
  proxy = await TcpProxy.start(cluster.redis.port);
}, START_TIMEOUT_MS);
afterAll(async () => {
  await proxy.stop();
  await cluster.stop();
});

/** A service that is connected, with a proxy between it and Redis. */
async function publisher(timeoutMs: number): Promise<TestPublisher> {
  const redis = { url: `redis://127.0.0.1:${proxy.port}` };
  const other = await TestPublisher.start({ secret: COMMAND_SECRET, redis, timeoutMs });
  onTestFinished(() => other.stop());
  expect(await other.pogo.publish('1', 'orders', 'before', '1')).toBe(PublishStatus.ok);
  return other;
}

describe('while Redis is away', () => {
  it('publishes end as broker_failed, and are not carried out later', async () => {
    const clients = [await cluster.node(0).connect(), await cluster.node(1).connect()];
    for (const client of clients) await client.subscribe('orders');
    const { pogo } = await publisher(5_000);
    proxy.refuse();
    for (let n = 0; n < 3; n++)
      expect(await pogo.publish('1', 'orders', 'lost', '1')).toBe(PublishStatus.broker_failed);
    await expect(pogo.terminateUser('1', 'u')).rejects.toMatchObject({ status: PublishStatus.broker_failed });
    proxy.accept();
    await expect.poll(() => pogo.publish('1', 'orders', 'after', '1'), PATIENTLY).toBe(PublishStatus.ok);
    await caughtUp(cluster.node(0).http, 'orders', clients);
    for (const client of clients) {
      expect(client.count('lost')).toBe(0);
      expect(client.count('after')).toBe(1);
    }
  });

  it('both connections are made anew when they say nothing any more', async () => {
    const { pogo } = await publisher(500);
    await expect.poll(connectionsOfPublishers, PATIENTLY).toHaveLength(2);
    const frozen = await connectionsOfPublishers();
    proxy.freeze();
    expect(await pogo.publish('1', 'orders', 'paid', '1')).toBe(PublishStatus.broker_failed);
    await expect.poll(() => pogo.publish('1', 'orders', 'paid', '1').then(() => proxy.connections)).toBeGreaterThan(3);
    proxy.thaw();
    await expect.poll(() => pogo.publish('1', 'orders', 'paid', '1'), PATIENTLY).toBe(PublishStatus.ok);
    const left = async () => (await connectionsOfPublishers()).filter((id) => frozen.includes(id));
    await expect.poll(left, PATIENTLY).toEqual([]);
  });
});

/** What Redis calls them. */
async function connectionsOfPublishers(): Promise<string[]> {
  const list = String(await cluster.redis.inspector.client('LIST'));
  return [...list.matchAll(/^id=(\d+) .*name=pogo-publisher /gm)].map(([, id]) => id as string);
}
