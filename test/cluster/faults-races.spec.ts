import { once } from 'node:events';
import { decodeEnvelope, type TransitionEnvelope } from '@pogo/hub';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../support/client.js';
import { Cluster } from '../support/cluster.js';
import { START_TIMEOUT_MS, type GatewayProcess } from '../support/gateway-process.js';
import { becomes, RosterWatch, stateOf, stateWith } from '../support/roster-watch.js';

type Entry = TransitionEnvelope;

let cluster: Cluster;
let rooms = 0;
const nextRoom = () => `presence-room-${++rooms}`;
beforeAll(async () => {
  cluster = await Cluster.start({ nodes: 2, throughProxy: true, settings: { client_msg_rate_limit: '-1' } });
}, START_TIMEOUT_MS);
afterAll(() => cluster.stop());

describe('two nodes that race to join and leave the same channel', () => {
  it('cause transitions that strictly alternate', async () => {
    const room = nextRoom();
    const nodes = [cluster.node(0), cluster.node(0), cluster.node(1), cluster.node(1)];
    const watches = [
      await RosterWatch.join(cluster.node(0), room, 'w0'),
      await RosterWatch.join(cluster.node(1), room, 'w1'),
    ];
    const topic = await TopicWatch.of(room);
    const clients = await Promise.all(nodes.map((node) => node.connect()));
    // 1,000 times the same user, and 1,000 times an empty channel.
    await Promise.all(
      clients.flatMap((client) => [joinAndLeave(client, room, 250, 'racer'), joinAndLeave(client, 'race', 250)]),
    );

    await Promise.all(clients.map((client) => client.disconnect()));
    for (const node of nodes) {
      await becomes(10, stateWith(['w0', 'w1']), () => stateOf(node, room));
      // Another bucket, where the departures come in their own time.
      await becomes(10, { occupied: false }, async () => (await node.http.get('/channels/race')).body);
    }
    const members = (await topic.end()).filter(({ member }) => member.userId === 'racer');
    expectAlternating(members, 'member_added', 'member_removed');
    const told = members.map(({ type }) => (type === 'member_added' ? '+racer' : '-racer'));
    for (const watch of watches) {
      // All of it: the racer was away in between as well.
      await becomes(10, told, () => watch.changes.filter((change) => change.endsWith('racer')));
      expect(watch.members(room)).toEqual(['w0', 'w1']);
      expect(watch.violations).toEqual([]);
    }
  }, 180_000);
});

describe('a connection that closes while it joins', () => {
  it('leaves nothing behind, when it comes and goes at once', async () => {
    const room = nextRoom();
    const watch = await RosterWatch.join(cluster.node(1), room, 'watch');
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const client = await cluster.node(i % 2).connect();
          client.send(client.subscription(room, { user_id: `user-${i}` }));
          client.send(client.subscription('fleeting'));
          client.terminate();
        }),
      );
    }
    await expectNobodyIn(room, watch);
  }, 180_000);

  it('leaves nothing behind, when its join is on its way to Redis', async () => {
    const room = nextRoom();
    const watch = await RosterWatch.join(cluster.node(1), room, 'watch');
    const node = cluster.node(0);
    // Its topic is there already for half of them: these have asked to join, the others to subscribe.
    const stays = await node.connect();
    await stays.subscribe('lasting');
    const clients = await Promise.all(Array.from({ length: 40 }, () => node.connect()));

    cluster.proxy(0).freeze();
    await Promise.all(
      clients.map(async (client, i) => {
        const isFirst = i % 2 === 0;
        client.send(isFirst ? client.subscription(room, { user_id: `user-${i}` }) : client.subscription('lasting'));
        client.socket.ping();
        await once(client.socket, 'pong');
        await client.disconnect();
      }),
    );
    cluster.proxy(0).thaw();

    await becomes(10, { occupied: true, subscription_count: 1 }, () => countOf(node, 'lasting'));
    await stays.disconnect();
    await expectNobodyIn(room, watch);
    await becomes(10, [], () => keysOf('lasting'));
  }, 180_000);
});

/** Nobody but the watcher; and when that has left as well, Redis knows no channel any more. */
async function expectNobodyIn(room: string, watch: RosterWatch): Promise<void> {
  for (const index of [0, 1]) {
    const node = cluster.node(index);
    // Behind whatever is still on its way from this node: first the joins, then the departures that follow them.
    for (let i = 0; i < 2; i++) await (await RosterWatch.join(node, room, 'last')).leave();
    await becomes(10, stateWith(['watch']), () => stateOf(node, room));
  }
  await becomes(15, ['watch'], () => watch.members(room));
  expect(watch.violations).toEqual([]);
  await watch.leave();
  await becomes(10, [], () => keysOf(room));
  await becomes(10, [], () => keysOf('fleeting'));
}

/** What is kept about who is in a channel. */
async function keysOf(channel: string): Promise<string[]> {
  const keys = await cluster.redis.inspector.keys('*');
  return keys.filter((key) => /:[smip]:/.test(key) && key.endsWith(`:${channel}`));
}

async function countOf({ http }: GatewayProcess, channel: string): Promise<unknown> {
  return (await http.get(`/channels/${channel}`, { info: 'subscription_count' })).body;
}

async function joinAndLeave(client: Client, channel: string, times: number, userId?: string): Promise<void> {
  for (let i = 0; i < times; i++) {
    await client.subscribe(channel, userId === undefined ? undefined : { user_id: userId });
    client.unsubscribe(channel);
  }
}

function expectAlternating(entries: readonly Entry[], odd: string, even: string): void {
  const types = entries.map(({ type }) => type);
  expect(types.length).toBeGreaterThan(10);
  expect(types).toEqual(types.map((_, i) => (i % 2 === 0 ? odd : even)));
  expect(types.length % 2).toBe(0);
  const serials = entries.map(({ serial }) => serial);
  expect(serials).toEqual([...new Set(serials)].sort((a, b) => a - b));
}

/** What Redis publishes of a presence channel's members. */
class TopicWatch {
  private readonly entries: Entry[] = [];
  private onEnd: () => void = () => undefined;
  private readonly ended = new Promise<void>((resolve) => (this.onEnd = resolve));

  private constructor(
    private readonly redis: Redis,
    private readonly channel: string,
  ) {
    redis.on('pmessageBuffer', (_pattern: string, topic: Buffer, bytes: Buffer) => {
      const envelope = decodeEnvelope(bytes);
      if (topic.toString() === `end of ${channel}`) this.onEnd();
      else if (envelope !== undefined && 'member' in envelope) this.entries.push(envelope);
    });
  }

  /** @param channel it is heard of from now on. */
  static async of(channel: string): Promise<TopicWatch> {
    const redis = cluster.redis.inspector.duplicate();
    const watch = new TopicWatch(redis, channel);
    await redis.psubscribe(`*:t0:${channel}`, `end of ${channel}`);
    return watch;
  }

  /** All that there was until now. */
  async end(): Promise<readonly Entry[]> {
    await cluster.redis.inspector.publish(`end of ${this.channel}`, '');
    await this.ended;
    this.redis.disconnect();
    return this.entries;
  }
}
