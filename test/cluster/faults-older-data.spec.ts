import { afterEach, describe, expect, it } from 'vitest';
import { Cluster } from '../support/cluster.js';
import { GatewayProcess, START_TIMEOUT_MS } from '../support/gateway-process.js';
import { becomes, RosterWatch, stateOf, stateWith } from '../support/roster-watch.js';

const ROOM = 'presence-room';

let cluster: Cluster;
afterEach(() => cluster.stop());

describe('a Redis that comes back with older data', () => {
  it(
    'is brought up to date by the nodes, whoever comes back first',
    async () => {
      cluster = await Cluster.start({ nodes: 2, throughProxy: true });
      const [a, b] = [cluster.node(0), cluster.node(1)];
      const watches = [await RosterWatch.join(a, ROOM, 'ada')];
      // What a failover to a replica that lags, or a restart from a dump, leaves out: everything from here on.
      await cluster.redis.inspector.save();
      watches.push(await RosterWatch.join(b, ROOM, 'bob'));
      const leaver = await RosterWatch.join(a, ROOM, 'leaver');
      await becomes(10, ['ada', 'bob', 'leaver'], () => watches[1]?.members(ROOM));

      cluster.proxy(1).refuse();
      await cluster.redis.kill();
      await leaver.leave();
      await cluster.redis.restart();
      await a.ready();
      // Is told of a list without bob.
      watches.push(await RosterWatch.join(a, ROOM, 'carol'));
      cluster.proxy(1).accept();
      await b.ready();

      const ids = ['ada', 'bob', 'carol'];
      for (const node of [a, b]) await becomes(15, stateWith(ids), () => stateOf(node, ROOM));
      for (const watch of watches) await becomes(10, ids, () => watch.members(ROOM));
      // Who leaves afterwards is gone for everybody.
      await watches[1]?.leave();
      for (const watch of [watches[0], watches[2]]) {
        await becomes(10, ['ada', 'carol'], () => watch?.members(ROOM));
        expect(watch?.violations).toEqual([]);
      }
    },
    START_TIMEOUT_MS,
  );
});

describe('a Redis that answers and refuses', () => {
  it(
    'is asked again with pauses, and used again when it accepts',
    async () => {
      cluster = await Cluster.start({ nodes: 1 });
      const { inspector } = cluster.redis;
      const node = cluster.node(0);
      await inspector.acl('SETUSER', 'default', '-subscribe', '-evalsha');
      await inspector.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await becomes(10, 503, async () => (await node.readiness()).status);
      const connections = async () =>
        Number(/total_connections_received:(\d+)/.exec(await inspector.info('stats'))?.[1]);
      const [before, lines] = [await connections(), node.output.split('\n').length];
      // A few seconds of it: 20 a second before there were pauses.
      const begunAt = performance.now();
      await becomes(10, true, () => performance.now() > begunAt + 4_000);
      const opened = (await connections()) - before;
      expect(opened / ((performance.now() - begunAt) / 1_000)).toBeLessThan(5);
      expect(node.output.split('\n').length - lines).toBeLessThan(10);
      await inspector.acl('SETUSER', 'default', '+subscribe', '+evalsha');
      await node.ready();
      await RosterWatch.join(node, ROOM, 'ada');
    },
    START_TIMEOUT_MS,
  );

  it(
    'and has no such database, is not used with another one',
    async () => {
      cluster = await Cluster.start({ nodes: 0 });
      const settings = { redis_url: cluster.redis.url, redis_db: '99' };
      const node = await GatewayProcess.start({ settings, awaitReady: false });
      await node.printed(/DB index is out of range/);
      expect(await node.readiness()).toEqual({ status: 503, body: { status: 'broker_unavailable' } });
      expect(await cluster.redis.inspector.keys('*')).toEqual([]);
      await node.kill();
    },
    START_TIMEOUT_MS,
  );

  it(
    'because it is full, takes nobody for dead, lets who leaves leave, and still limits publishers',
    async () => {
      cluster = await Cluster.start({ nodes: 2, settings: { http_rate_limit: '0.001' } });
      const { inspector } = cluster.redis;
      const [ada, bob] = [
        await RosterWatch.join(cluster.node(0), ROOM, 'ada'),
        await RosterWatch.join(cluster.node(1), ROOM, 'bob'),
      ];
      await becomes(10, ['ada', 'bob'], () => ada.members(ROOM));
      await inspector.config('SET', 'maxmemory', '1');
      // Longer than a lease.
      const until = performance.now() + 12_000;
      await becomes(15, true, () => performance.now() > until);
      for (const i of [0, 1]) expect((await cluster.node(i).readiness()).status).toBe(200);
      expect(ada.changes).toEqual(['+bob']);
      for (const status of [200, 429]) {
        expect((await cluster.node(0).http.publish('news', 'event', 'data')).status).toBe(status);
      }
      await bob.leave();
      await becomes(10, ['ada'], () => ada.members(ROOM));
      const late = RosterWatch.join(cluster.node(1), ROOM, 'late');
      await inspector.config('SET', 'maxmemory', '0');
      await late;
      await becomes(10, ['ada', 'late'], () => ada.members(ROOM));
      expect(ada.violations).toEqual([]);
    },
    START_TIMEOUT_MS,
  );
});
