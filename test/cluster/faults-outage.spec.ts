import { setTimeout as sleep } from 'node:timers/promises';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Cluster } from '../support/cluster.js';
import { GatewayProcess, START_TIMEOUT_MS } from '../support/gateway-process.js';
import { RedisServer } from '../support/redis.js';
import {
  becomes,
  incarnationsIn,
  RosterWatch,
  stateOf,
  stateWith,
  timeLeftMs,
  usersNamed,
} from '../support/roster-watch.js';

const ROOM = 'presence-room';
const OUTAGE_MS = 30_000;
const TIMEOUT_MS = START_TIMEOUT_MS + 90_000;

const BROKER_UNAVAILABLE = { status: 503, body: { status: 'broker_unavailable' } };

type Change = (cluster: Cluster) => void;

const refuse: Change = (cluster) => [0, 1].forEach((index) => cluster.proxy(index).refuse());
const accept: Change = (cluster) => [0, 1].forEach((index) => cluster.proxy(index).accept());
const OUTAGES: readonly [name: string, begin: Change, end: Change][] = [
  ['does not answer', ({ redis }) => redis.freeze(), ({ redis }) => redis.thaw()],
  ['refuses connections', refuse, accept],
];

describe.concurrent('Redis', () => {
  it.for(OUTAGES)(
    '%s for 30 s: nobody is taken for dead',
    { timeout: TIMEOUT_MS },
    async ([, begin, end], { onTestFinished }) => {
      const cluster = await Cluster.start({ nodes: 2, throughProxy: true });
      onTestFinished(() => cluster.stop());
      const nodes = [cluster.node(0), cluster.node(1)] as const;
      const names = usersNamed('user', 6);
      const watches = await Promise.all(names.map((id, i) => RosterWatch.join(nodes[i % 2] ?? nodes[0], ROOM, id)));
      await RosterWatch.acquainted(watches, ROOM, 6);

      begin(cluster);
      const begunAt = performance.now();
      // Nothing heard, nothing forgotten: its subscription waits as long as one may.
      const early = await nodes[1].connect();
      early.send(early.subscription(ROOM, { user_id: 'early' }));
      await watches.shift()?.leave();
      for (const node of nodes) {
        await becomes(20, BROKER_UNAVAILABLE, () => node.readiness());
        for (let i = 0; i < 3; i++) {
          const askedAt = performance.now();
          const answer = await node.http.publish(ROOM, 'lost', '1');
          expect(answer).toMatchObject({ status: 500, body: { status: 6 } });
          expect(performance.now() - askedAt).toBeLessThan(4_000);
        }
      }
      expect(await early.closing()).toMatchObject({ code: 4200 });
      const waited = performance.now() - begunAt;
      expect([waited > 9_500, waited < 18_000]).toEqual([true, true]);
      await sleep(OUTAGE_MS - waited);
      for (const { changes } of watches) expect(changes).toEqual([]);
      const late = RosterWatch.join(nodes[0], ROOM, 'late');

      end(cluster);
      const endedAt = performance.now();
      const remaining = () => 10 - (performance.now() - endedAt) / 1_000;
      const everybody = ['late', ...names.slice(1)];
      for (const node of nodes) await becomes(remaining(), stateWith(everybody), () => stateOf(node, ROOM));
      for (const watch of [...watches, await late]) await becomes(remaining(), everybody, () => watch.members(ROOM));
      for (const node of nodes) {
        await becomes(remaining(), 200, async () => (await node.readiness()).status);
        expect((await node.http.publish(ROOM, `from-${node.port}`, '1')).status).toBe(200);
        for (const { client } of watches) await client.receive(`from-${node.port}`);
      }
      // Whoever would be taken for dead now, when the time of mercy is over.
      await becomes(15, true, async () => (await timeLeftMs(cluster.redis, 'grace')) <= 0);
      await becomes(15, 2, async () => (await incarnationsIn(cluster.redis)).length);
      expect(await cluster.redis.inspector.hkeys('{pogo}:x')).toEqual([]);
      for (const watch of watches) {
        const heard = (await watch.client.settle()).filter(({ event }) => event === 'lost');
        expect(heard).toEqual([]);
        // A join that waited in a frozen Redis takes effect when its client has given up, and is undone.
        const changes = watch.changes.filter((change) => !change.endsWith('early'));
        expect(changes.sort()).toEqual(['+late', '-user-0000']);
        expect(watch.count('+early')).toBe(watch.count('-early'));
        expect(watch.violations).toEqual([]);
      }
    },
  );

  it(
    'is down at start: the node waits, and serves when it comes',
    { timeout: TIMEOUT_MS },
    async ({ onTestFinished }) => {
      const redis = await RedisServer.start();
      onTestFinished(() => redis.stop());
      await redis.kill();
      const node = await GatewayProcess.start({ settings: { redis_url: redis.url }, awaitReady: false });
      onTestFinished(() => node.stop().then(() => undefined));
      expect((await fetch(`http://127.0.0.1:${node.port}/up`)).status).toBe(200);
      expect(await node.readiness()).toEqual(BROKER_UNAVAILABLE);
      expect(await node.http.publish('news', 'lost', '1')).toMatchObject({ status: 500, body: { status: 6 } });

      const impatient = await node.connect();
      const askedAt = performance.now();
      impatient.send(impatient.subscription('news'));
      expect(await impatient.closing()).toMatchObject({ code: 4200 });
      const waited = performance.now() - askedAt;
      expect([waited > 9_500, waited < 18_000]).toEqual([true, true]);

      const patient = [await node.connect(), await node.connect()] as const;
      const answers = [patient[0].subscribe('news'), patient[1].subscribe(ROOM, { user_id: 'ada' })];
      for (const { socket, received } of patient) {
        // Its answer overtakes nothing: the subscription has been read, and not been answered.
        socket.ping();
        await once(socket, 'pong');
        expect(received.map(({ event }) => event)).toEqual(['pusher:connection_established']);
      }
      expect(await node.readiness()).toEqual(BROKER_UNAVAILABLE);

      await redis.restart();
      await becomes(10, { status: 200, body: { status: 'ok' } }, () => node.readiness());
      await Promise.all(answers);
      expect((await node.http.publish(['news', ROOM], 'found', '1')).status).toBe(200);
      for (const client of patient) {
        await client.receive('found');
        expect(client.count('lost')).toBe(0);
      }
      expect(await stateOf(node, ROOM)).toEqual(stateWith(['ada']));
    },
  );

  it(
    'is out of reach for one node: it counts as dead elsewhere, keeps its clients, and comes back',
    { timeout: TIMEOUT_MS },
    async ({ onTestFinished }) => {
      const cluster = await Cluster.start({ throughProxy: true });
      onTestFinished(() => cluster.stop());
      const [cut, second, third] = [cluster.node(0), cluster.node(1), cluster.node(2)];
      const names = usersNamed('inside', 5);
      const [leaver, both, stays] = await Promise.all([
        RosterWatch.join(second, ROOM, 'leaver'),
        RosterWatch.join(second, ROOM, 'both'),
        RosterWatch.join(third, ROOM, 'stays'),
      ]);
      const inside = await Promise.all([...names, 'both'].map((id) => RosterWatch.join(cut, ROOM, id)));
      const outside = [both, stays];
      await RosterWatch.acquainted([...inside, ...outside], ROOM, 8);

      const proxy = cluster.proxy(0);
      proxy.refuse();
      const cutAt = performance.now();
      await leaver.leave();
      const newcomer = await RosterWatch.join(third, ROOM, 'newcomer');
      const there = ['both', 'newcomer', 'stays'];
      for (const watch of outside) await becomes(15, there, () => watch.members(ROOM));
      for (const node of [second, third]) await becomes(15, stateWith(there), () => stateOf(node, ROOM));
      expect((await second.http.publish(ROOM, 'missed', '1')).status).toBe(200);
      await sleep(15_000 - (performance.now() - cutAt));
      for (const { changes } of inside) expect(changes).toEqual([]);

      proxy.accept();
      const all = ['both', ...names, 'newcomer', 'stays'];
      for (const watch of [...inside, ...outside, newcomer]) await becomes(10, all, () => watch.members(ROOM));
      for (const node of [cut, second, third]) {
        await becomes(10, stateWith(all, 9), () => stateOf(node, ROOM));
        expect((await node.http.publish(ROOM, `from-${node.port}`, '1')).status).toBe(200);
        for (const { client } of [...inside, ...outside]) await client.receive(`from-${node.port}`);
      }
      await becomes(15, 3, async () => (await incarnationsIn(cluster.redis)).length);
      const [told, ...others] = inside.map(({ changes }) => [...changes].sort());
      expect(told).toEqual(['+newcomer', '-leaver']);
      for (const other of others) expect(other).toEqual(told);
      const returned = names.flatMap((name) => [`+${name}`, `-${name}`]);
      for (const { changes } of outside)
        expect([...changes].sort()).toEqual(['+newcomer', '-leaver', ...returned].sort());
      for (const watch of [...inside, ...outside, newcomer]) expect(watch.violations).toEqual([]);
    },
  );
});
