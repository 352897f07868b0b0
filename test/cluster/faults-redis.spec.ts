import { describe, expect, it } from 'vitest';
import { Cluster } from '../support/cluster.js';
import { Crowd } from '../support/crowd.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { expectDelivery, nodeOf } from '../support/load-publisher.js';
import { becomes, RosterWatch, stateOf, stateWith, timeLeftMs, usersNamed } from '../support/roster-watch.js';

const ROOM = 'presence-room';
const LOAD = 'load';
const TIMEOUT_MS = START_TIMEOUT_MS + 60_000;

describe.concurrent('Redis', () => {
  it(
    'is killed and restarted empty under load: nobody notices but publishers, and in 10 s all is right',
    { timeout: TIMEOUT_MS },
    async (context) => {
      const cluster = await Cluster.start();
      context.onTestFinished(() => cluster.stop());
      const nodes = [0, 1, 2].map((index) => cluster.node(index));
      const crowd = await Crowd.gather(nodes, { room: ROOM, load: LOAD }, 15, context);
      await cluster.redis.kill();
      await crowd.comeAndGo();
      for (const publisher of crowd.publishers) await becomes(10, true, () => publisher.numberOf(500) > 5);
      for (const node of nodes) expect(await node.readiness()).toEqual(BROKER_UNAVAILABLE);
      await cluster.redis.restart();
      await crowd.isRight(10);
      await crowd.noticedNothingElse();
    },
  );

  it(
    'is flushed: the next heartbeat notices, and in 15 s all is right',
    { timeout: TIMEOUT_MS },
    async ({ onTestFinished }) => {
      const cluster = await Cluster.start({ nodes: 2 });
      onTestFinished(() => cluster.stop());
      const nodes = [cluster.node(0), cluster.node(1)];
      const names = usersNamed('user', 6);
      const watches = await Promise.all(names.map((id, i) => RosterWatch.join(nodeOf(nodes, i), ROOM, id)));
      const listeners = await Promise.all(nodes.map((node) => node.connect()));
      for (const listener of listeners) await listener.subscribe(LOAD);
      await RosterWatch.acquainted(watches, ROOM, 6);

      await cluster.redis.inspector.flushall();
      const flushedAt = performance.now();
      const remaining = () => 15 - (performance.now() - flushedAt) / 1_000;
      const late = await Promise.all([
        RosterWatch.join(nodeOf(nodes, 0), ROOM, 'newcomer'),
        RosterWatch.join(nodeOf(nodes, 1), ROOM, 'user-0000'),
      ]);
      const everybody = ['newcomer', ...names];
      for (const node of nodes) await becomes(remaining(), stateWith(everybody, 8), () => stateOf(node, ROOM));
      for (const watch of [...watches, ...late]) await becomes(remaining(), everybody, () => watch.members(ROOM));
      for (const node of nodes) {
        await becomes(
          remaining(),
          { connections: 10 },
          async () => (await node.http.get('/connections')).body as object,
        );
      }
      await expectDelivery(LOAD, nodes, listeners);
      // What was held back is told before the next who comes.
      await becomes(15, true, async () => (await timeLeftMs(cluster.redis, 'held')) <= 0);
      await RosterWatch.join(nodeOf(nodes, 0), ROOM, 'probe');
      for (const watch of watches) await becomes(15, ['newcomer', 'probe', ...names], () => watch.members(ROOM));
      for (const watch of watches) expect(watch.changes).toEqual(['+newcomer', '+probe']);
      for (const watch of [...watches, ...late]) expect(watch.violations).toEqual([]);
    },
  );
});

const BROKER_UNAVAILABLE = { status: 503, body: { status: 'broker_unavailable' } };
