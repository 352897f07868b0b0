import { afterEach, describe, expect, it } from 'vitest';
import { hangUp, TestCluster, type FakeClient, type TestClusterOptions } from './testing/hub-harness.js';
import { eventually } from './testing/test-api.js';

let cluster: TestCluster;
const start = (options: TestClusterOptions = {}) => (cluster = new TestCluster(options));
afterEach(() => cluster.close());

function signIn({ node, connection }: FakeClient, id: string, watchlist: readonly string[] = []): void {
  node.hub.signIn(connection, { id, watchlist });
  node.hub.follow(connection, watchlist);
}

/** Who is online, as the client was told. */
function online({ socket }: FakeClient): string[] {
  const users = new Set<string>();
  for (const { event, data } of socket.events) {
    if (event !== 'pusher_internal:watchlist_events') continue;
    const { events } = JSON.parse(String(data)) as { events: { name: string; user_ids: string[] }[] };
    for (const { name, user_ids: ids } of events) {
      for (const id of ids) {
        if (name === 'online') users.add(id);
        else users.delete(id);
      }
    }
  }
  return [...users].sort();
}

describe('Signed-in users', () => {
  it('are not online who had gone before it was known who they are', async () => {
    start();
    const { hub } = cluster.node(0);
    const client = cluster.node(0).connect();
    hangUp(client);
    signIn(client, 'ghost', ['ghost']);
    const after = cluster.node(0).connect();
    signIn(after, 'ada', ['ghost', 'ada']);
    await eventually(() => online(after).length > 0);
    expect(online(after)).toEqual(['ada']);
    expect([...(await hub.findOnline('app', ['ghost', 'ada']))]).toEqual(['ada']);
  });
});

describe('Watchlists', () => {
  it('of a client that has gone are nobody’s', async () => {
    start();
    const client = cluster.node(0).connect();
    signIn(client, 'ada', ['bob']);
    hangUp(client);
    const { length } = client.socket.received;
    signIn(cluster.node(0).connect(), 'bob');
    await eventually(async () => (await cluster.node(0).hub.findOnline('app', ['bob'])).size === 1);
    expect(client.socket.received).toHaveLength(length);
  });

  it.each([1, 2, 3, 4, 5])(
    'are right in the end, whatever is late, lost and out of order between two nodes (seed %i)',
    async (seed) => {
      start({ nodes: 2, seed });
      const users = ['u0', 'u1', 'u2', 'u3'];
      const watchers = [0, 1].map((n) => cluster.node(n).connect());
      for (const [n, watcher] of watchers.entries()) signIn(watcher, `w${n}`, users);
      const there = new Map<string, FakeClient[]>(users.map((user) => [user, []]));
      for (let step = 0; step < 80; step++) {
        const user = users[step % users.length] as string;
        const clients = there.get(user) as FakeClient[];
        // Some come twice before they go.
        if (clients.length > 0 && (step * seed) % 3 !== 0) {
          hangUp(clients.pop() as FakeClient);
        } else {
          const client = cluster.node((step + seed) % 2).connect();
          signIn(client, user);
          clients.push(client);
        }
        if (step % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      const expected = users.filter((user) => (there.get(user) ?? []).length > 0);
      for (const watcher of watchers) {
        await eventually(() => online(watcher).join() === expected.join());
      }
    },
  );
});
