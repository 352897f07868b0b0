import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Client } from '../support/client.js';
import { Cluster } from '../support/cluster.js';
import { START_TIMEOUT_MS, type GatewayProcess } from '../support/gateway-process.js';
import { becomes, RosterWatch, stateOf, stateWith, timeLeftMs, usersNamed } from '../support/roster-watch.js';

const ROOM = 'presence-room';
const LOAD = 'load';
const TIMEOUT_MS = START_TIMEOUT_MS + 60_000;

describe.concurrent('Redis', () => {
  it(
    'is killed and restarted empty under load: nobody notices but publishers, and in 10 s all is right',
    { timeout: TIMEOUT_MS },
    async ({ onTestFinished }) => {
      const cluster = await Cluster.start();
      onTestFinished(() => cluster.stop());
      const nodes = [0, 1, 2].map((index) => cluster.node(index));
      const names = usersNamed('user', 15);
      const watches = await Promise.all(names.map((id, i) => RosterWatch.join(nodeOf(nodes, i), ROOM, id)));
      const listeners = await Promise.all(nodes.map((node) => node.connect()));
      for (const listener of listeners) await listener.subscribe(LOAD);
      await RosterWatch.acquainted(watches, ROOM, 15);
      const publishers = nodes.map((node, i) => new LoadPublisher(node, `from-${i}`));
      onTestFinished(() => Promise.all(publishers.map((publisher) => publisher.stop())).then(() => undefined));
      for (const publisher of publishers) await becomes(10, true, () => publisher.numberOf(200) > 20);

      await cluster.redis.kill();
      const joining = [
        ...nodes.map((node, i) => RosterWatch.join(node, ROOM, `joiner-${i}`)),
        RosterWatch.join(nodeOf(nodes, 0), ROOM, 'user-0001'),
      ];
      await watches.shift()?.leave();
      for (const publisher of publishers) await becomes(10, true, () => publisher.numberOf(500) > 5);
      for (const node of nodes) expect(await node.readiness()).toEqual(BROKER_UNAVAILABLE);

      await cluster.redis.restart();
      const restartedAt = performance.now();
      const remaining = () => 10 - (performance.now() - restartedAt) / 1_000;
      // Their users are elsewhere: `user-0002` on the third node, and so on.
      joining.push(...nodes.map((node, i) => RosterWatch.join(node, ROOM, names[i + 2] ?? '')));
      const everybody = ['joiner-0', 'joiner-1', 'joiner-2', ...names.slice(1)];
      for (const node of nodes) {
        await becomes(remaining(), stateWith(everybody, 14 + 7), () => stateOf(node, ROOM));
        await becomes(remaining(), 200, async () => (await node.readiness()).status);
      }
      const joined = await Promise.all(joining);
      for (const watch of [...watches, ...joined]) await becomes(remaining(), everybody, () => watch.members(ROOM));
      await expectDelivery(nodes, listeners);

      for (const publisher of publishers) await publisher.stop();
      for (const listener of listeners) {
        const ids = (await listener.settle()).filter(({ event }) => event === 'load').map(({ data }) => data);
        expect(new Set(ids).size).toBe(ids.length);
      }
      for (const { answers } of publishers) {
        const failures = answers.filter(({ status }) => status !== 200);
        for (const { status, body, seconds } of failures) {
          expect([status, body, seconds < 1.5]).toEqual([500, expect.objectContaining({ status: 6 }), true]);
        }
      }
      for (const watch of watches) {
        await watch.client.settle();
        expect([...watch.changes].sort()).toEqual(['+joiner-0', '+joiner-1', '+joiner-2', '-user-0000']);
      }
      for (const watch of [...watches, ...joined]) expect(watch.violations).toEqual([]);
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
      await expectDelivery(nodes, listeners);
      // What was held back is told before the next who comes.
      await becomes(15, true, async () => (await timeLeftMs(cluster.redis, 'held')) <= 0);
      await RosterWatch.join(nodeOf(nodes, 0), ROOM, 'probe');
      for (const watch of watches) await becomes(5, ['newcomer', 'probe', ...names], () => watch.members(ROOM));
      for (const watch of watches) expect(watch.changes).toEqual(['+newcomer', '+probe']);
      for (const watch of [...watches, ...late]) expect(watch.violations).toEqual([]);
    },
  );
});

const BROKER_UNAVAILABLE = { status: 503, body: { status: 'broker_unavailable' } };

function nodeOf(nodes: readonly GatewayProcess[], index: number): GatewayProcess {
  return nodes[index % nodes.length] as GatewayProcess;
}

/** What is published on each node reaches everybody. */
async function expectDelivery(nodes: readonly GatewayProcess[], listeners: readonly Client[]): Promise<void> {
  for (const node of nodes) {
    const name = `marker-of-${node.port}`;
    expect((await node.http.publish(LOAD, name, '1')).status).toBe(200);
    for (const listener of listeners) await listener.receive(name);
  }
}

/** Publishes numbered events on one node, one after another, and keeps the answers. */
class LoadPublisher {
  readonly answers: { readonly status: number; readonly body: unknown; readonly seconds: number }[] = [];
  private readonly ended: Promise<void>;
  private isStopped = false;

  constructor(
    private readonly node: GatewayProcess,
    private readonly name: string,
  ) {
    this.ended = this.run();
  }

  numberOf(status: number): number {
    return this.answers.filter((answer) => answer.status === status).length;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.ended;
  }

  private async run(): Promise<void> {
    while (!this.isStopped) {
      const startedAt = performance.now();
      const { status, body } = await this.node.http.publish(LOAD, 'load', `${this.name}-${this.answers.length}`);
      this.answers.push({ status, body, seconds: (performance.now() - startedAt) / 1_000 });
      await sleep(5);
    }
  }
}
