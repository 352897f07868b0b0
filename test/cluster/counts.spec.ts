import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../support/client.js';
import { Cluster } from '../support/cluster.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { leave, PATIENTLY } from '../support/observer.js';

const NODES = [0, 1, 2] as const;

let cluster: Cluster;
let open: Client[] = [];
beforeAll(async () => {
  cluster = await Cluster.start({ settings: { client_msg_rate_limit: '-1' } });
}, START_TIMEOUT_MS);
afterAll(() => cluster.stop());
// Every test counts from zero.
afterEach(async () => {
  await Promise.all(open.map((client) => client.disconnect()));
  open = [];
  await expect.poll(() => everywhere('/channels'), PATIENTLY).toEqual(thrice({ channels: {} }));
});

async function connect(n: number): Promise<Client> {
  const client = await cluster.node(n).connect();
  open.push(client);
  return client;
}

const connectToEach = () => Promise.all([connect(0), connect(1), connect(2)]);

/** What each of the nodes answers. */
function everywhere(path: string, query: Record<string, string> = {}): Promise<unknown[]> {
  return Promise.all(NODES.map(async (n) => (await cluster.node(n).http.get(path, query)).body));
}

const thrice = (body: unknown) => [body, body, body];

describe('the counts of a channel', () => {
  it('are those of all nodes and the same on all of them, at once', async () => {
    const info = { info: 'subscription_count' };
    const [a, b, c] = await connectToEach();
    const counts = (occupied: boolean, count: number) => thrice({ occupied, subscription_count: count });
    expect(await everywhere('/channels/news', info)).toEqual(counts(false, 0));
    for (const [i, client] of [a, b, c].entries()) {
      await client.subscribe('news');
      expect(await everywhere('/channels/news', info)).toEqual(counts(true, i + 1));
    }
    // Again, which counts once.
    await b.subscribe('news');
    await (await connect(0)).subscribe('news');
    expect(await everywhere('/channels/news', info)).toEqual(counts(true, 4));
    await leave(a, 'news');
    await leave(b, 'news');
    expect(await everywhere('/channels/news', info)).toEqual(counts(true, 2));
    await c.disconnect();
    await expect.poll(() => everywhere('/channels/news', info), PATIENTLY).toEqual(counts(true, 1));
    await open.at(-1)?.disconnect();
    await expect.poll(() => everywhere('/channels/news', info), PATIENTLY).toEqual(counts(false, 0));
  });

  it('have every user once, however many tabs on however many nodes', async () => {
    const info = { info: 'user_count,subscription_count' };
    const counts = (users: number, subscriptions: number) =>
      thrice({ occupied: subscriptions > 0, user_count: users, subscription_count: subscriptions });
    const tabs = await connectToEach();
    const [other] = await connectToEach();
    for (const tab of tabs) await tab.subscribe('presence-room', { user_id: 'ada' });
    expect(await everywhere('/channels/presence-room', info)).toEqual(counts(1, 3));
    await other.subscribe('presence-room', { user_id: 'bob' });
    expect(await everywhere('/channels/presence-room', info)).toEqual(counts(2, 4));
    await leave(tabs[0], 'presence-room');
    await leave(tabs[1], 'presence-room');
    expect(await everywhere('/channels/presence-room', info)).toEqual(counts(2, 2));
    await leave(tabs[2], 'presence-room');
    expect(await everywhere('/channels/presence-room', info)).toEqual(counts(1, 1));
    await leave(other, 'presence-room');
    expect(await everywhere('/channels/presence-room', info)).toEqual(counts(0, 0));
  });

  it('are told to whoever publishes, on whatever node', async () => {
    const clients = await connectToEach();
    for (const [i, client] of clients.entries()) {
      await client.subscribe('presence-a', { user_id: String(i % 2) });
      await client.subscribe('b');
    }
    const more = { info: 'user_count,subscription_count' };
    for (const n of NODES) {
      const { http } = cluster.node(n);
      expect((await http.publish(['presence-a', 'b', 'c'], 'posted', 'x', more)).body).toEqual({
        channels: {
          'presence-a': { user_count: 2, subscription_count: 3 },
          b: { subscription_count: 3 },
          c: { subscription_count: 0 },
        },
      });
      const batch = ['b', 'presence-a'].map((channel) => ({ channel, name: 'posted', data: 'x', ...more }));
      expect((await http.post('/batch_events', { batch })).body).toEqual({
        batch: [{ subscription_count: 3 }, { user_count: 2, subscription_count: 3 }],
      });
    }
  });

  it('are right after many subscriptions and departures at the same time on all nodes', async () => {
    const clients = (await Promise.all(Array.from({ length: 20 }, connectToEach))).flat();
    await Promise.all(clients.map((client, i) => client.subscribe('presence-room', { user_id: String(i % 25) })));
    // Those of the users 0 to 9 stay.
    await Promise.all(clients.flatMap((client, i) => (i % 25 < 10 ? [] : leave(client, 'presence-room'))));
    const stayers = clients.filter((_, i) => i % 25 < 10).length;
    expect(await everywhere('/channels/presence-room', { info: 'user_count,subscription_count' })).toEqual(
      thrice({ occupied: true, user_count: 10, subscription_count: stayers }),
    );
    expect(stayers).toBe(30);
  });
});

describe('the cached event of a channel', () => {
  it('is the last one, whichever node is asked', async () => {
    for (const n of NODES) await cluster.node(n).http.publish('cache-news', 'posted', `from ${n}`);
    const cache = { data: 'from 2', ttl: expect.any(Number) as number };
    expect(await everywhere('/channels/cache-news', { info: 'cache' })).toEqual(thrice({ occupied: false, cache }));
  });
});

describe('the list of channels', () => {
  it('has those that are occupied on any node, with their counts, and by prefix', async () => {
    const [a, b, c] = await connectToEach();
    const names = Array.from({ length: 120 }, (_, i) => `room-${i}`);
    for (const [i, name] of names.entries()) await [a, b, c][i % 3]?.subscribe(name);
    await a.subscribe('presence-x', { user_id: '1' });
    await b.subscribe('presence-x', { user_id: '1' });
    await c.subscribe('presence-y', { user_id: '2' });
    await a.signin({ id: 'ada' });
    await a.subscribe('#server-to-user-ada');
    const empty = (list: string[]) => Object.fromEntries(list.map((name) => [name, {}]));
    expect(await everywhere('/channels')).toEqual(thrice({ channels: empty([...names, 'presence-x', 'presence-y']) }));
    expect(await everywhere('/channels', { filter_by_prefix: 'room-11' })).toEqual(
      thrice({ channels: empty(names.filter((name) => name.startsWith('room-11'))) }),
    );
    expect(await everywhere('/channels', { filter_by_prefix: 'rooms' })).toEqual(thrice({ channels: {} }));
    const query = { filter_by_prefix: 'presence-', info: 'user_count,subscription_count' };
    expect(await everywhere('/channels', query)).toEqual(
      thrice({
        channels: {
          'presence-x': { user_count: 1, subscription_count: 2 },
          'presence-y': { user_count: 1, subscription_count: 1 },
        },
      }),
    );
  });
});

describe('the number of connections', () => {
  it('is that of all nodes, and the same on all of them', async () => {
    const connections = () => everywhere('/connections');
    await expect.poll(connections, PATIENTLY).toEqual(thrice({ connections: 0 }));
    const clients = [...(await connectToEach()), await connect(0), await connect(0)];
    await expect.poll(connections, PATIENTLY).toEqual(thrice({ connections: 5 }));
    await clients[1]?.disconnect();
    await clients[3]?.disconnect();
    await expect.poll(connections, PATIENTLY).toEqual(thrice({ connections: 3 }));
  });
});
