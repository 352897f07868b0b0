import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Client } from '../support/client.js';
import { GatewayProcess, START_TIMEOUT_MS } from '../support/gateway-process.js';
import { caughtUp, heard, PATIENTLY, presenceIn, transitions } from '../support/observer.js';
import { RedisServer } from '../support/redis.js';

let redis: RedisServer;
/** Of the same app, on the same Redis; two have two nodes each. */
let clusters: GatewayProcess[][];
beforeAll(async () => {
  redis = await RedisServer.start();
  const host = `127.0.0.1:${redis.port}`;
  const settings: Record<string, string>[][] = [
    [{ redis_url: redis.url }],
    [
      { redis_url: redis.url, redis_prefix: 'other' },
      { redis_host: host, redis_prefix: 'other' },
    ],
    [{ redis_url: `${redis.url}/1` }, { redis_host: host, redis_db: '1' }],
  ];
  const start = (each: Record<string, string>) => GatewayProcess.start({ settings: each });
  clusters = await Promise.all(settings.map((each) => Promise.all(each.map(start))));
}, START_TIMEOUT_MS);
afterAll(async () => {
  await Promise.all(clusters.flat().map((node) => node.kill()));
  await Promise.all(clusters.flat().map((node) => node.stop()));
  await redis.stop();
});

interface Group {
  readonly nodes: readonly GatewayProcess[];
  readonly http: GatewayProcess['http'];
  /** One on each node of the cluster, the last of them as the user `<name> last`. */
  readonly clients: readonly Client[];
  readonly last: Client;
  readonly name: string;
}

/** Clients on all nodes of all clusters, in the channel of the same name. */
function subscribeAll(channel: string): Promise<Group[]> {
  return Promise.all(
    clusters.map(async (nodes, c) => {
      const name = `cluster ${c}`;
      const clients = await Promise.all(nodes.map((node) => node.connect()));
      onTestFinished(async () => {
        await Promise.all(clients.map((client) => client.disconnect()));
      });
      const ids = clients.map((_, i) => (i === clients.length - 1 ? `${name} last` : `${name} first`));
      for (const [i, client] of clients.entries()) {
        const member = channel.startsWith('presence-') ? { user_id: ids[i] as string } : undefined;
        const acknowledgement = await client.subscribe(channel, member);
        if (member !== undefined) expect(presenceIn(acknowledgement).ids).toEqual(ids.slice(0, i + 1));
      }
      const [{ http }, last] = [nodes[0], clients.at(-1)] as [GatewayProcess, Client];
      return { nodes, http, clients, last, name };
    }),
  );
}

describe('clusters on one Redis, by prefix and by database', () => {
  it('do not hear each other’s events and client events', async () => {
    const channel = 'private-room';
    const groups = await subscribeAll(channel);
    for (const { http, name } of groups) await http.publish(channel, 'posted', name);
    for (const { http, clients } of groups) await caughtUp(http, channel, clients);
    for (const { last, name } of groups) last.send({ event: 'client-sent', channel, data: name });
    for (const { http, clients, last, name } of groups) {
      const others = clients.filter((client) => client !== last);
      for (const other of others) expect((await other.receive('client-sent')).data).toBe(name);
      await caughtUp(http, channel, clients);
      for (const client of clients) {
        const expected =
          client === last
            ? [['posted', name]]
            : [
                ['posted', name],
                ['client-sent', name],
              ];
        expect(heard(client, channel).map(({ event, data }) => [event, data])).toEqual(expected);
      }
    }
  });

  it('have their own members and counts', async () => {
    const channel = 'presence-room';
    const groups = await subscribeAll(channel);
    for (const { nodes, clients, name } of groups) {
      const ids = clients.length === 1 ? [`${name} last`] : [`${name} first`, `${name} last`];
      const { length } = ids;
      for (const { http } of nodes) {
        expect((await http.get(`/channels/${channel}/users`)).body).toEqual({ users: ids.map((id) => ({ id })) });
        const counts = { subscription_count: length, user_count: length };
        const query = { info: 'subscription_count,user_count' };
        expect((await http.get(`/channels/${channel}`, query)).body).toEqual({ occupied: true, ...counts });
        expect((await http.get('/channels', { filter_by_prefix: 'presence-', ...query })).body).toEqual({
          channels: { [channel]: counts },
        });
      }
    }
    for (const { last } of groups) await last.disconnect();
    for (const { http, clients, last, name } of groups) {
      const [first] = clients;
      if (first === undefined || first === last) continue;
      await first.receive('pusher_internal:member_removed');
      await caughtUp(http, channel, [first]);
      expect(transitions(first, channel)).toEqual([`+${name} last`, `-${name} last`]);
    }
  });

  it('have their own cached events', async () => {
    await clusters[1]?.[0]?.http.publish('cache-news', 'posted', 'x');
    const caches = await Promise.all(
      clusters.flat().map(async ({ http }) => (await http.get('/channels/cache-news', { info: 'cache' })).body),
    );
    const [none, one] = [{ cache: null }, { cache: { data: 'x' } }];
    expect(caches).toMatchObject([none, one, one, none, none]);
  });

  it('do not end each other’s users', async () => {
    const channel = 'room';
    for (const at of clusters.keys()) {
      const groups = await subscribeAll(channel);
      for (const { clients } of groups) for (const client of clients) await client.signin({ id: 'eve' });
      await groups[at]?.http.post('/users/eve/terminate_connections', {});
      for (const client of groups[at]?.clients ?? []) expect((await client.closing()).code).toBe(4009);
      for (const { http, clients } of groups.filter((_, c) => c !== at)) {
        // A node hears everything in one order: behind this is behind the command.
        await caughtUp(http, channel, clients);
        for (const client of clients) await client.settle();
        for (const client of clients) expect(client.count('pusher:error')).toBe(0);
      }
    }
  });

  it('count their own connections', async () => {
    const counted = () => Promise.all(clusters.map((nodes) => Promise.all(nodes.map(connectionsOf))));
    await expect.poll(counted, PATIENTLY).toEqual([[0], [0, 0], [0, 0]]);
    await clusters[1]?.[1]?.connect();
    await expect.poll(counted, PATIENTLY).toEqual([[0], [1, 1], [0, 0]]);
    await clusters[2]?.[0]?.connect();
    await expect.poll(counted, PATIENTLY).toEqual([[0], [1, 1], [1, 1]]);
  });
});

async function connectionsOf({ http }: GatewayProcess): Promise<number> {
  return ((await http.get('/connections')).body as { connections: number }).connections;
}
