import { signChannel, signUser } from '@pogo/pusher-protocol';
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from '../support/cluster.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { caughtUp, connectToEach } from '../support/observer.js';

const SECRET = `secret-${randomUUID()}`;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start({ settings: { app_secret: SECRET, http_rate_limit: '1000' } });
}, START_TIMEOUT_MS);
afterAll(() => cluster.stop());

const READERS: Readonly<Record<string, (redis: Redis, key: string) => Promise<unknown>>> = {
  string: (redis, key) => redis.get(key),
  hash: (redis, key) => redis.hgetall(key),
  set: (redis, key) => redis.smembers(key),
  zset: (redis, key) => redis.zrange(key, '0', '-1'),
  stream: (redis, key) => redis.xrange(key, '-', '+'),
};

/** All keys and what is in them. */
async function contentsOf(redis: Redis): Promise<string> {
  const contents: unknown[] = [];
  for (const key of await redis.keys('*')) contents.push(key, await READERS[await redis.type(key)]?.(redis, key));
  return JSON.stringify(contents);
}

describe('what the nodes tell Redis', () => {
  it('is channels, members and events, and no secret and no signature', async () => {
    const { inspector } = cluster.redis;
    const monitor = await inspector.monitor();
    const commands: string[] = [];
    const end = new Promise<void>((resolve) => {
      monitor.on('monitor', (_time: string, args: string[]) => {
        commands.push(args.join(' '));
        if (args[1] === 'the end') resolve();
      });
    });
    const clients = await connectToEach(cluster);
    const signatures = [];
    const app = { key: 'test-key', secret: SECRET };
    for (const [n, client] of clients.entries()) {
      const member = { user_id: `u${n}`, user_info: 'whoever' };
      await client.signin({ id: `u${n}` });
      await client.subscribe('private-cache-a', undefined);
      await client.subscribe('presence-room', member);
      client.send({ event: 'client-sent', channel: 'presence-room', data: n });
      await cluster.node(n).http.publish(['private-cache-a', 'presence-room'], 'posted', 'whatever');
      await cluster.node(n).http.get('/channels');
      const channelData = JSON.stringify(member);
      signatures.push(signUser(app, client.socketId, JSON.stringify({ id: `u${n}` })));
      signatures.push(signChannel(app, client.socketId, 'private-cache-a'));
      signatures.push(signChannel(app, client.socketId, 'presence-room', channelData));
    }
    await cluster.node(0).http.post('/users/u1/terminate_connections', {});
    await clients[1].closing();
    await caughtUp(cluster.node(2).http, 'presence-room', [clients[0], clients[2]]);

    const contents = await contentsOf(inspector);
    await inspector.echo('the end');
    await end;
    monitor.disconnect();
    // It has seen something.
    for (const word of ['u0', 'whoever', 'private-cache-a']) expect(contents).toContain(word);
    const said = commands.join('\n');
    for (const word of ['u1', 'whoever', 'whatever', 'private-cache-a', 'terminate_user']) expect(said).toContain(word);
    for (const secret of [SECRET, ...signatures.map((signature) => signature.split(':').at(-1) as string)]) {
      expect(contents).not.toContain(secret);
      expect(said).not.toContain(secret);
    }
    for (const n of [0, 1, 2]) expect(cluster.node(n).output).not.toContain(SECRET);
  });
});
