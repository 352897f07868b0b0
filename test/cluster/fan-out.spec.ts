import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client, Message } from '../support/client.js';
import { Cluster } from '../support/cluster.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { ADDED, caughtUp, connectToEach, heard, leave, REMOVED, transitions } from '../support/observer.js';

const NODES = [0, 1, 2] as const;

let cluster: Cluster;
let channels = 0;
const fresh = (prefix: string) => `${prefix}fan-out-${++channels}`;
beforeAll(async () => {
  cluster = await Cluster.start({ settings: { client_msg_rate_limit: '-1' } });
}, START_TIMEOUT_MS);
afterAll(() => cluster.stop());

/** Clients on the three nodes, subscribed; in presence channels as `u0` to `u2`, who know of each other. */
async function subscribers(channel: string): Promise<[Client, Client, Client]> {
  const clients = await connectToEach(cluster);
  for (const [i, client] of clients.entries()) {
    await client.subscribe(channel, channel.startsWith('presence-') ? { user_id: `u${i}` } : undefined);
  }
  return clients;
}

const eventsIn = (client: Client, channel: string) => {
  return heard(client, channel).filter(({ event }) => ![ADDED, REMOVED, 'pusher:cache_miss'].includes(event));
};
const datasIn = (client: Client, channel: string) => eventsIn(client, channel).map(({ data }) => data);

describe('events', () => {
  it.each(['', 'private-', 'private-encrypted-', 'presence-', 'cache-', 'presence-cache-'])(
    'of a channel %s… reach the subscribers on all nodes once, whichever node they are published on',
    async (prefix) => {
      const channel = fresh(prefix);
      const clients = await subscribers(channel);
      for (const n of NODES) {
        expect((await cluster.node(n).http.publish(channel, 'posted', `from ${n}`)).status).toBe(200);
      }
      await caughtUp(cluster.node(0).http, channel, clients);
      const expected = NODES.map((n) => ({ event: 'posted', channel, data: `from ${n}` }));
      for (const client of clients) expect(eventsIn(client, channel)).toEqual(expected);
    },
  );

  it('keep every byte of their data', async () => {
    const channel = fresh('');
    const clients = await subscribers(channel);
    const data = `"\\ \u0000\r\n\u007f ü €  \u2028 😀 {"a":1.0} ${'x'.repeat(100_000)}`;
    await cluster.node(1).http.publish(channel, 'pösted', data);
    for (const client of clients) expect((await client.receive('pösted')).data).toBe(data);
  });

  it('of one publish to many channels, and of a batch, reach those who are in each, in order', async () => {
    const names = Array.from({ length: 5 }, () => fresh('')) as [string, string, ...string[]];
    const clients = await connectToEach(cluster);
    for (const [i, client] of clients.entries()) for (const name of names.slice(i)) await client.subscribe(name);
    await cluster.node(2).http.publish(names, 'posted', 'to all');
    const batch = Array.from({ length: 10 }, (_, i) => ({ channel: names[i % 2], name: 'batched', data: String(i) }));
    expect(await cluster.node(0).http.post('/batch_events', { batch })).toMatchObject({ status: 200, body: {} });
    for (const name of names) await caughtUp(cluster.node(1).http, name, clients.slice(0, names.indexOf(name) + 1));
    for (const [i, client] of clients.entries()) {
      for (const name of names.slice(i)) {
        const batched = batch.filter((item) => item.channel === name).map(({ data }) => data);
        expect(datasIn(client, name)).toEqual(['to all', ...batched]);
      }
      for (const name of names.slice(0, i)) expect(heard(client, name)).toEqual([]);
    }
  });

  it.each(['', 'cache-', 'presence-'])(
    'of a channel %s… leave out the connection named by socket_id, on whatever node it is',
    async (prefix) => {
      const channel = fresh(prefix);
      const clients = await subscribers(channel);
      const excluding = [];
      for (const [i, { socketId }] of clients.entries()) {
        const event = { channel, name: 'posted', data: `not for ${i}`, socket_id: socketId };
        // Once on the connection's own node and once on another.
        await cluster.node(i).http.post('/events', event);
        await cluster.node((i + 1) % 3).http.post('/batch_events', { batch: [event] });
        excluding.push(event.data, event.data);
      }
      await caughtUp(cluster.node(0).http, channel, clients);
      for (const [i, client] of clients.entries()) {
        expect(datasIn(client, channel)).toEqual(excluding.filter((data) => data !== `not for ${i}`));
      }
    },
  );

  it('travel to the nodes that have subscribers, and to no other', async () => {
    const channel = fresh('');
    const [a, b] = await connectToEach(cluster);
    await Promise.all([a.subscribe(channel), b.subscribe(channel)]);
    const topics = (await cluster.redis.inspector.pubsub('CHANNELS', `*${channel}`)) as string[];
    expect(topics).toHaveLength(1);
    expect(await cluster.redis.inspector.pubsub('NUMSUB', ...topics)).toEqual([topics[0], 2]);
  });
});

describe('client events', () => {
  it.each([
    ['private-', {}],
    ['presence-', { user_id: 'u0' }],
  ])('of a channel %s… reach everybody else on all nodes as they were sent', async (prefix, sender) => {
    const channel = fresh(prefix);
    const [a, b, c] = await subscribers(channel);
    const neighbour = await cluster.node(0).connect();
    await neighbour.subscribe(channel, prefix === 'presence-' ? { user_id: 'neighbour' } : undefined);
    const message = { event: 'client-typing', channel, data: { n: 1, text: '😀' } };
    a.send(message);
    await Promise.all([b, c, neighbour].map((client) => client.receive('client-typing')));
    await caughtUp(cluster.node(1).http, channel, [a, b, c, neighbour]);
    for (const client of [b, c, neighbour]) expect(eventsIn(client, channel)).toEqual([{ ...message, ...sender }]);
    expect(eventsIn(a, channel)).toEqual([]);
  });
});

describe('the order of a channel', () => {
  const EACH = 60;
  const ROUNDS = 15;

  /** Numbered events, five of them on their way at any time. */
  async function publishMany(n: number, channel: string): Promise<void> {
    let next = 0;
    const publishOn = async () => {
      while (next < EACH) await cluster.node(n).http.publish(channel, 'posted', `${n}-${next++}`);
    };
    await Promise.all(Array.from({ length: 5 }, publishOn));
  }

  async function comeAndGo(client: Client, n: number, channel: string): Promise<void> {
    for (let round = 0; round < ROUNDS; round++) {
      await client.subscribe(channel, { user_id: `guest-${n}` });
      await leave(client, channel);
    }
  }

  it('is the same for everybody on all nodes, whatever is published, sent and announced at the same time', async () => {
    const channel = fresh('presence-');
    const observers = await connectToEach(cluster);
    for (const [n, observer] of observers.entries()) await observer.subscribe(channel, { user_id: `observer-${n}` });
    const senders = await subscribers(channel);
    const guests = await connectToEach(cluster);
    await caughtUp(cluster.node(0).http, channel, [...observers, ...senders]);
    const starts = [...observers, ...senders].map((client) => heard(client, channel).length);

    for (const [n, sender] of senders.entries()) {
      for (let i = 0; i < EACH; i++) sender.send({ event: 'client-sent', channel, data: `${n}-${i}` });
    }
    await Promise.all(NODES.flatMap((n) => [publishMany(n, channel), comeAndGo(guests[n], n, channel)]));
    await Promise.all(observers.map((observer) => observer.reaches('client-sent', 3 * EACH)));
    await caughtUp(cluster.node(2).http, channel, [...observers, ...senders]);

    const [first, second, third, ...others] = [...observers, ...senders].map((client, i) => {
      return heard(client, channel).slice(starts[i]);
    }) as [Message[], Message[], Message[], ...Message[][]];
    expect(first).toHaveLength(6 * EACH + 6 * ROUNDS);
    expect(second).toEqual(first);
    expect(third).toEqual(first);
    for (const [n, other] of others.entries()) {
      expect(other).toEqual(first.filter(({ event, user_id: id }) => event !== 'client-sent' || id !== `u${n}`));
    }
    for (const n of NODES) {
      const sent = first.filter(({ event, user_id: id }) => event === 'client-sent' && id === `u${n}`);
      expect(sent.map(({ data }) => data)).toEqual(Array.from({ length: EACH }, (_, i) => `${n}-${i}`));
      const visits = transitions(observers[0], channel).filter((change) => change.endsWith(`guest-${n}`));
      expect(visits).toEqual(Array.from({ length: ROUNDS }, () => [`+guest-${n}`, `-guest-${n}`]).flat());
    }
    const kinds = first.map(({ event }) => ([ADDED, REMOVED].includes(event) ? 'transition' : event));
    // Otherwise there was nothing to put in order.
    expect(kinds.filter((kind, i) => kind !== kinds[i - 1]).length).toBeGreaterThan(10);
  });
});
