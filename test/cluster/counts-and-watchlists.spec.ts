import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { Cluster } from '../support/cluster.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { connectToEach } from '../support/observer.js';
import { becomes } from '../support/roster-watch.js';
import { countsOf, endsWithCount, hasCounts, signInEverywhere, watched, watches } from '../support/watching.js';

const TIMEOUT_MS = START_TIMEOUT_MS + 60_000;
const SETTINGS = { subscription_count: '1' };

/** One that a test may hurt. */
async function ownCluster({ onTestFinished }: TestContext, options: { throughProxy?: boolean } = {}): Promise<Cluster> {
  const cluster = await Cluster.start({ ...options, settings: SETTINGS });
  onTestFinished(() => cluster.stop());
  return cluster;
}

describe('three nodes', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start({ settings: SETTINGS });
  }, START_TIMEOUT_MS);
  afterAll(() => cluster.stop());

  it('count the subscribers of a channel together, and tell each number once', async () => {
    const clients = await connectToEach(cluster);
    for (const client of clients) await client.subscribe('spread');
    clients[1].unsubscribe('spread');
    // Not until the number is 2: on the way up it was that as well.
    await hasCounts(clients[0], 'spread', 4);
    await hasCounts(clients[2], 'spread', 2);
    expect(countsOf(clients[0], 'spread')).toEqual([1, 2, 3, 2]);
    expect(countsOf(clients[2], 'spread')).toEqual([3, 2]);
    for (const n of [0, 1, 2]) {
      const { body } = await cluster.node(n).http.get('/channels/spread', { info: 'subscription_count' });
      expect(body).toEqual({ occupied: true, subscription_count: 2 });
    }
  });

  it('tell a watcher once that a user of another node comes, and once that it goes', async () => {
    const [ada, ...others] = await connectToEach(cluster);
    await ada.signin({ id: 'ada', watchlist: ['bob'] });
    await watches(ada, 1);
    for (const bob of others) await signInEverywhere(cluster, bob, 'bob');
    await watches(ada, 2);
    await others[0].disconnect();
    // Over to another node, and back.
    const again = await cluster.node(1).connect();
    await signInEverywhere(cluster, again, 'bob');
    await others[1].disconnect();
    await again.disconnect();
    await watches(ada, 3);
    const mark = await cluster.node(2).connect();
    await mark.signin({ id: 'mark', watchlist: ['mark'] });
    await watches(mark, 1);
    await ada.settle();
    expect(watched(ada)).toEqual(['-bob', '+bob', '-bob']);
  });

  it('show the last event of a cache channel on every node, and client events never', async () => {
    const clients = await connectToEach(cluster);
    for (const channel of ['cache-a', 'private-cache-a', 'presence-cache-a', 'private-encrypted-cache-a']) {
      const member = (n: number) => (channel.startsWith('presence') ? { user_id: `u${n}` } : undefined);
      await clients[0].subscribe(channel, member(0));
      await clients[0].receive((m) => m.event === 'pusher:cache_miss' && m.channel === channel);
      await cluster.node(1).http.publish(channel, 'price', `"${channel}"`);
      if (/^(private|presence)-cache/.test(channel)) {
        clients[0].send({ event: 'client-price', channel, data: 'not kept' });
        await clients[0].settle();
      }
      await clients[2].subscribe(channel, member(2));
      const cached = await clients[2].receive((m) => m.event === 'price' && m.channel === channel);
      expect(cached).toEqual({ event: 'price', channel, data: `"${channel}"` });
      for (const n of [0, 1, 2]) {
        const { body } = await cluster.node(n).http.get(`/channels/${channel}`, { info: 'cache' });
        const { cache } = body as { cache: { data: string; ttl: number } };
        expect(cache.data).toBe(`"${channel}"`);
        expect(cache.ttl).toBeGreaterThan(1_700);
        expect(cache.ttl).toBeLessThanOrEqual(1_800);
      }
    }
  });

  it('tell of more than a hundred once in a while, together', async () => {
    const first = await cluster.node(0).connect();
    await first.subscribe('crowd');
    const clients = await Promise.all(Array.from({ length: 149 }, (_, n) => cluster.node(n % 3).connect({})));
    await Promise.all(clients.map((client) => client.subscribe('crowd')));
    await endsWithCount(first, 'crowd', 150);
    const numbers = countsOf(first, 'crowd');
    expect(numbers.slice(0, 101)).toEqual(Array.from({ length: 101 }, (_, i) => i + 1));
    expect(numbers.length).toBeLessThan(110);
  });
});

describe.concurrent('what goes wrong', () => {
  it(
    'a node is killed: its subscribers are counted out, its users are offline, once',
    { timeout: TIMEOUT_MS },
    async (context) => {
      const cluster = await ownCluster(context);
      const [ada, bob, cyd] = await connectToEach(cluster);
      for (const client of [ada, bob, cyd]) await client.subscribe('room');
      // The watcher first, and one after the other: a sign-in is acknowledged before the other nodes know of it.
      await ada.signin({ id: 'ada', watchlist: ['bob', 'cyd'] });
      await watches(ada, 2);
      await bob.signin({ id: 'bob' });
      await watches(ada, 3);
      await cyd.signin({ id: 'cyd' });
      await watches(ada, 4);
      await cluster.node(1).kill();
      await becomes(30, ['-bob', '-cyd', '+bob', '+cyd', '-bob'], () => watched(ada));
      await becomes(30, [1, 2, 3, 2], () => countsOf(ada, 'room'));
      // Another node's client: told by its own node, in its own time.
      await becomes(30, [3, 2], () => countsOf(cyd, 'room'));
      expect(countsOf(cyd, 'room')).toEqual([3, 2]);
      await ada.settle();
      expect(watched(ada)).toHaveLength(5);
    },
  );

  it(
    'Redis comes back empty: nobody is offline who is not, and what has changed is told',
    { timeout: TIMEOUT_MS },
    async (context) => {
      const cluster = await ownCluster(context);
      const [ada, bob, cyd] = await connectToEach(cluster);
      for (const client of [ada, bob, cyd]) await client.subscribe('room');
      await ada.signin({ id: 'ada', watchlist: ['bob', 'cyd', 'dan'] });
      await bob.signin({ id: 'bob' });
      await cyd.signin({ id: 'cyd' });
      await becomes(30, true, () => ['+bob', '+cyd'].every((word) => watched(ada).includes(word)));
      const before = watched(ada).length;
      await cluster.redis.kill();
      await cyd.disconnect();
      await cluster.redis.restart();
      for (const n of [0, 1, 2]) await cluster.node(n).ready();
      const dan = await cluster.node(2).connect();
      await dan.signin({ id: 'dan' });
      await becomes(30, 2, () => countsOf(ada, 'room').at(-1));
      await becomes(30, before + 2, () => watched(ada).length);
      expect(watched(ada).slice(before).toSorted()).toEqual(['+dan', '-cyd']);
    },
  );

  it(
    'a node loses sight of Redis: it hears afterwards what it has missed',
    { timeout: TIMEOUT_MS },
    async (context) => {
      const cluster = await ownCluster(context, { throughProxy: true });
      const [ada, bob, cyd] = await connectToEach(cluster);
      for (const client of [ada, bob, cyd]) await client.subscribe('room');
      await ada.signin({ id: 'ada', watchlist: ['bob', 'cyd'] });
      await watches(ada, 2);
      await bob.signin({ id: 'bob' });
      await watches(ada, 3);
      cluster.proxy(0).refuse();
      await cyd.signin({ id: 'cyd' });
      await bob.disconnect();
      await becomes(30, 2, () => countsOf(cyd, 'room').at(-1));
      cluster.proxy(0).accept();
      await cluster.node(0).ready();
      await becomes(30, 2, () => countsOf(ada, 'room').at(-1));
      await becomes(30, 5, () => watched(ada).length);
      expect(watched(ada).slice(3).toSorted()).toEqual(['+cyd', '-bob']);
    },
  );
});
