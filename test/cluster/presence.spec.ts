import type { PresenceChannel } from 'pusher-js';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { dataOf, type Client, type Message } from '../support/client.js';
import { Cluster } from '../support/cluster.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import {
  ADDED,
  caughtUp,
  connectToEach,
  leave,
  PATIENTLY,
  presenceIn,
  REMOVED,
  transitions,
} from '../support/observer.js';
import { Heard, join, RealClients, type Page } from '../support/pusher-clients.js';

const NODES = [0, 1, 2] as const;
const MOST_MEMBERS = 5;

let cluster: Cluster;
let rooms = 0;
const nextRoom = () => `presence-room-${++rooms}`;
beforeAll(async () => {
  const settings = { presence_max_members: String(MOST_MEMBERS), client_msg_rate_limit: '-1' };
  cluster = await Cluster.start({ settings });
}, START_TIMEOUT_MS);
afterAll(() => cluster.stop());

/** What the three nodes answer to the question for the users of a channel. */
function usersEverywhere(channel: string): Promise<unknown[]> {
  return Promise.all(
    NODES.map(async (n) => {
      const { body } = await cluster.node(n).http.get(`/channels/${channel}/users`, { with_user_info: '1' });
      return (body as { users: unknown }).users;
    }),
  );
}

describe('a user with tabs on two nodes', () => {
  it.each([
    ['the first tab leaves first', [0, 1], 'unsubscribe'],
    ['the second tab leaves first', [1, 0], 'unsubscribe'],
    ['the tabs are closed, the first one first', [0, 1], 'disconnect'],
    ['the tabs are closed, the second one first', [1, 0], 'disconnect'],
  ] as const)('is announced to a third node once and leaves once when %s', async (_case, order, way) => {
    const channel = nextRoom();
    const [tab1, tab2, observer] = await connectToEach(cluster);
    await observer.subscribe(channel, { user_id: 'observer' });
    await tab1.subscribe(channel, { user_id: 'ada', user_info: 'first' });
    await tab2.subscribe(channel, { user_id: 'ada', user_info: 'second' });
    await caughtUp(cluster.node(0).http, channel, [tab1, tab2, observer]);
    expect(dataOf(await observer.receive(ADDED))).toEqual({ user_id: 'ada', user_info: 'first' });
    const [first, last] = order.map((index) => [tab1, tab2][index]) as [Client, Client];
    await (way === 'unsubscribe' ? leave(first, channel) : first.disconnect());
    await expect.poll(() => subscriptionsIn(channel), PATIENTLY).toBe(2);
    await caughtUp(cluster.node(1).http, channel, [last, observer]);
    expect(transitions(observer, channel)).toEqual(['+ada']);
    await (way === 'unsubscribe' ? leave(last, channel) : last.disconnect());
    await expect.poll(() => subscriptionsIn(channel), PATIENTLY).toBe(1);
    await caughtUp(cluster.node(0).http, channel, [observer]);
    expect(transitions(observer, channel)).toEqual(['+ada', '-ada']);
    for (const tab of [tab1, tab2]) expect(tab.count(ADDED) + tab.count(REMOVED)).toBe(0);
  });

  it('keeps the user_info of the first until it has left, on all nodes', async () => {
    const channel = nextRoom();
    const [tab1, tab2, other] = await connectToEach(cluster);
    await tab1.subscribe(channel, { user_id: 'ada', user_info: { tab: 1 } });
    await tab2.subscribe(channel, { user_id: 'ada', user_info: { tab: 2 } });
    await leave(tab1, channel);
    const acknowledgement = await other.subscribe(channel, { user_id: 'bob' });
    expect(presenceIn(acknowledgement).hash).toEqual({ ada: { tab: 1 }, bob: {} });
    await leave(tab2, channel);
    await tab2.subscribe(channel, { user_id: 'ada', user_info: { tab: 2 } });
    const users = [
      { id: 'bob', user_info: {} },
      { id: 'ada', user_info: { tab: 2 } },
    ];
    expect(await usersEverywhere(channel)).toEqual([users, users, users]);
    await caughtUp(cluster.node(0).http, channel, [other]);
    expect(transitions(other, channel)).toEqual(['-ada', '+ada']);
  });

  it('comes and goes once each time, although the tabs do so at the same moment', async () => {
    const channel = nextRoom();
    const observer = await cluster.node(0).connect();
    await observer.subscribe(channel, { user_id: 'observer' });
    const tabs = await connectToEach(cluster);
    const rounds = 20;
    for (let round = 0; round < rounds; round++) {
      await Promise.all(tabs.map((tab) => tab.subscribe(channel, { user_id: 'ada' })));
      await Promise.all(tabs.map((tab) => leave(tab, channel)));
    }
    await caughtUp(cluster.node(1).http, channel, [observer]);
    expect(transitions(observer, channel)).toEqual(Array.from({ length: rounds }, () => ['+ada', '-ada']).flat());
    for (const tab of tabs) expect(tab.count(ADDED) + tab.count(REMOVED)).toBe(0);
  });
});

describe('the members of a channel', () => {
  it('are those of all nodes, for every joiner and for every node that is asked', async () => {
    const channel = nextRoom();
    const names = ['ada', '7', '__proto__'] as const;
    const clients = await connectToEach(cluster);
    const known: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const [i, client] of clients.entries()) {
      const [id, info] = [names[i] as string, { node: i, name: 'Ä😀' }];
      const acknowledgement = await client.subscribe(channel, { user_id: id, user_info: info });
      known[id] = info;
      const { count, ids, hash } = presenceIn(acknowledgement);
      expect([count, ids]).toEqual([i + 1, names.slice(0, i + 1)]);
      expect(Object.entries(hash)).toEqual(Object.entries(known));
    }
    const users = names.map((id) => ({ id, user_info: known[id] }));
    expect(await usersEverywhere(channel)).toEqual([users, users, users]);
    await clients[1].disconnect();
    await expect.poll(() => usersEverywhere(channel), PATIENTLY).toEqual(NODES.map(() => [users[0], users[2]]));
  });

  it('are no more than the limit when they race for the last seats, and a second tab needs none', async () => {
    const channel = nextRoom();
    const racers = (await Promise.all(Array.from({ length: 4 }, () => connectToEach(cluster)))).flat();
    const isAnswer = ({ event }: Message) => /:subscription_(succeeded|error)$/.test(event);
    const answers = await Promise.all(
      racers.map((racer, i) => {
        racer.send(racer.subscription(channel, { user_id: `u${i}` }));
        return racer.receive(isAnswer);
      }),
    );
    const refused = answers.filter(({ event }) => event === 'pusher:subscription_error');
    expect(refused).toHaveLength(racers.length - MOST_MEMBERS);
    for (const { data } of refused) expect(data).toMatchObject({ type: 'LimitReached', status: 403 });
    const admitted = answers.findIndex(({ event }) => event !== 'pusher:subscription_error');
    for (const client of await connectToEach(cluster)) await client.subscribe(channel, { user_id: `u${admitted}` });
    const [users] = (await usersEverywhere(channel)) as [unknown[]];
    expect(users).toHaveLength(MOST_MEMBERS);
    expect(await subscriptionsIn(channel)).toBe(MOST_MEMBERS + 3);
  });
});

describe('pusher-js on two nodes', () => {
  const ids = ({ members }: PresenceChannel): string[] => {
    const all: string[] = [];
    members.each(({ id }: { id: string }) => all.push(id));
    return all.sort();
  };

  it('sees the same members, who come and go, and hears the other one', async () => {
    // A node of the cluster as well, in this process.
    const clients = await RealClients.start({ settings: { redis_url: cluster.redis.url } });
    onTestFinished(() => clients.stop());
    await expect.poll(() => clients.gateway.hub.isReady, PATIENTLY).toBe(true);
    const channel = nextRoom();
    const open = async (n: 0 | 1 | 2, id: string): Promise<[Page, PresenceChannel]> => {
      const page = await clients.connect({ member: { user_id: id }, wsPort: cluster.node(n).port });
      return [page, (await join(page, channel)) as PresenceChannel];
    };
    const [, ann] = await open(0, 'ann');
    const heard = new Heard<string>();
    ann.bind('pusher:member_added', ({ id }: { id: string }) => heard.note(`${id} joined`));
    ann.bind('pusher:member_removed', ({ id }: { id: string }) => heard.note(`${id} left`));
    ann.bind('client-typing', (data: unknown, { user_id: id }: { user_id: string }) => {
      heard.note(`${id} typed ${String(data)}`);
    });
    ann.bind('posted', (data: unknown) => heard.note(`posted ${String(data)}`));
    const [bobsPage, bob] = await open(1, 'bob');
    const [secondTab] = await open(2, 'bob');
    expect(ids(bob)).toEqual(['ann', 'bob']);
    bob.trigger('client-typing', 'x');
    await heard.reaches(2);
    await clients.server.trigger(channel, 'posted', 'y');
    await heard.reaches(3);
    bobsPage.disconnect();
    await expect.poll(() => subscriptionsIn(channel), PATIENTLY).toBe(2);
    expect(ids(ann)).toEqual(['ann', 'bob']);
    secondTab.unsubscribe(channel);
    expect(await heard.reaches(4)).toEqual(['bob joined', 'bob typed x', 'posted y', 'bob left']);
    expect(ids(ann)).toEqual(['ann']);
  });
});

async function subscriptionsIn(channel: string): Promise<number> {
  const { body } = await cluster.node(2).http.get(`/channels/${channel}`, { info: 'subscription_count' });
  return (body as { subscription_count: number }).subscription_count;
}
