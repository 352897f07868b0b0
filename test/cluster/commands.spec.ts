import PusherServer from 'pusher';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { dataOf, type Client } from '../support/client.js';
import { Cluster } from '../support/cluster.js';
import { APP } from '../support/gateway.js';
import { GatewayProcess, START_TIMEOUT_MS } from '../support/gateway-process.js';
import { caughtUp, connectToEach, heard, transitions } from '../support/observer.js';

let cluster: Cluster;
let users = 0;
const nextUser = () => `user ${++users}/ü€`;
beforeAll(async () => {
  cluster = await Cluster.start();
}, START_TIMEOUT_MS);
afterAll(() => cluster.stop());

const CUT_OFF = { code: 4009, reason: 'You got disconnected by the app.' };

const terminate = (n: number, userId: string) => {
  return cluster.node(n).http.post(`/users/${encodeURIComponent(userId)}/terminate_connections`, {});
};

/** A client on each node that has signed in. */
async function signedIn(userId: string): Promise<[Client, Client, Client]> {
  const clients = await connectToEach(cluster);
  for (const client of clients) await client.signin({ id: userId });
  return clients;
}

/** The application's server, which talks to one of the nodes. */
function serverLibrary(n: number): PusherServer {
  const { port } = cluster.node(n);
  const { id: appId, key, secret } = APP;
  return new PusherServer({ appId, key, secret, host: '127.0.0.1', port: String(port), useTLS: false });
}

describe('terminating a user', () => {
  it.each([0, 1, 2])('on node %i ends its connections on all nodes, signed in or present, and no other', async (n) => {
    const [user, other] = [nextUser(), nextUser()];
    const channel = `presence-terminated-${n}`;
    const observers = await connectToEach(cluster);
    for (const [i, observer] of observers.entries()) await observer.subscribe(channel, { user_id: `observer ${i}` });
    const ended = [...(await signedIn(user)), ...(await connectToEach(cluster))];
    for (const member of ended.slice(3)) await member.subscribe(channel, { user_id: user });
    const spared = await signedIn(other);
    expect(await terminate(n, user)).toMatchObject({ status: 200, body: {} });
    for (const client of ended) {
      expect(await client.closing()).toEqual(CUT_OFF);
      expect(client.received.at(-1)).toEqual({
        event: 'pusher:error',
        data: { code: CUT_OFF.code, message: CUT_OFF.reason },
      });
    }
    await Promise.all(observers.map((observer) => observer.receive('pusher_internal:member_removed')));
    await caughtUp(cluster.node(n).http, channel, observers);
    for (const [i, observer] of observers.entries()) {
      const later = observers.slice(i + 1).map((_, k) => `+observer ${i + 1 + k}`);
      expect(transitions(observer, channel)).toEqual([...later, `+${user}`, `-${user}`]);
    }
    for (const client of [...spared, ...observers]) {
      await client.settle();
      expect(client.count('pusher:error')).toBe(0);
    }
  });

  it('who is nowhere is answered as well, and one who has left stays connected', async () => {
    const user = nextUser();
    const [, member] = await connectToEach(cluster);
    await member.subscribe('presence-left', { user_id: user });
    member.unsubscribe('presence-left');
    await member.subscribe('elsewhere');
    expect(await terminate(0, user)).toMatchObject({ status: 200, body: {} });
    // Behind the command: the next one, which is for somebody of the same node.
    const last = nextUser();
    const [, sentinel] = await signedIn(last);
    await terminate(0, last);
    await sentinel.closing();
    await member.settle();
    expect(member.count('pusher:error')).toBe(0);
  });

  it('lets it come back', async () => {
    const user = nextUser();
    const [client] = await signedIn(user);
    await terminate(2, user);
    await client.closing();
    const again = await cluster.node(0).connect();
    expect((await again.signin({ id: user })).event).toBe('pusher:signin_success');
  });
});

describe('what is sent to a user', () => {
  it('reaches all its connections on all nodes once, and nobody else', async () => {
    const [user, other] = [nextUser(), nextUser()];
    const clients = await signedIn(user);
    const strangers = await signedIn(other);
    for (const client of clients) await client.subscribe(`#server-to-user-${user}`);
    for (const stranger of strangers) await stranger.subscribe(`#server-to-user-${other}`);
    for (const n of [0, 1, 2]) await serverLibrary(n).sendToUser(user, 'invoice', { from: n });
    await serverLibrary(1).sendToUser(other, 'invoice', { from: 'other' });
    const expected = [0, 1, 2].map((n) => ({ from: n }));
    for (const [group, id, data] of [
      [clients, user, expected],
      [strangers, other, [{ from: 'other' }]],
    ] as const) {
      await caughtUp(cluster.node(0).http, `#server-to-user-${id}`, group);
      for (const client of group) {
        expect(heard(client, `#server-to-user-${id}`).map(dataOf)).toEqual(data);
        expect(client.count('invoice')).toBe(data.length);
      }
    }
  });
});

describe('the rate limit of an app', () => {
  it('is one for all nodes', async () => {
    // One request, and the next one in a quarter of an hour.
    const settings = { redis_url: cluster.redis.url, redis_prefix: 'limited', http_rate_limit: '0.001' };
    const nodes = await Promise.all([GatewayProcess.start({ settings }), GatewayProcess.start({ settings })]);
    onTestFinished(async () => {
      await Promise.all(nodes.map((node) => node.stop()));
    });
    expect((await nodes[0].http.get('/connections')).status).toBe(200);
    for (const { http } of nodes) {
      const { status, headers } = await http.get('/connections');
      expect([status, headers.get('x-ratelimit-remaining')]).toEqual([429, '0']);
    }
    // That of another cluster is another one.
    expect((await cluster.node(0).http.get('/connections')).status).toBe(200);
  });
});
