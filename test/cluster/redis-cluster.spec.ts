import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, type TestContext } from 'vitest';
import { bucketOf } from '@pogo/hub/testing';
import { Cluster } from '../support/cluster.js';
import { Crowd } from '../support/crowd.js';
import { APP } from '../support/gateway.js';
import { START_TIMEOUT_MS, type GatewayProcess } from '../support/gateway-process.js';
import { RedisClusterServers } from '../support/redis-cluster.js';
import { becomes, RosterWatch, stateOf, stateWith } from '../support/roster-watch.js';

// In another third of the slots than what is about the nodes.
const ROOM = 'presence-lobby';
const KEY = `{pogo:${APP.id}:${bucketOf(ROOM)}}`;
const TIMEOUT_MS = START_TIMEOUT_MS + 60_000;
/** A channel in the same bucket. */
const LOAD = Array.from({ length: 1_000 }, (_, n) => `load-${n}`).find(
  (name) => bucketOf(name) === bucketOf(ROOM),
) as string;

interface Scene {
  readonly servers: RedisClusterServers;
  readonly cluster: Cluster;
  readonly crowd: Crowd;
}

/** Six members on three nodes, and publishers at work in a channel of the same slot. */
async function scene(context: TestContext): Promise<Scene> {
  // No master is replaced that a busy machine holds up for a second, nor the one that is started again.
  const servers = await RedisClusterServers.start({ nodeTimeoutMs: 15_000 });
  const cluster = await Cluster.start({ servers });
  context.onTestFinished(() => cluster.stop());
  const nodes = [0, 1, 2].map((index) => cluster.node(index));
  return { servers, cluster, crowd: await Crowd.gather(nodes, { room: ROOM, load: LOAD }, 6, context) };
}

/** Nobody was told of anything but newcomers, nothing came twice, and all nodes know who is there. */
async function expectNothingNoticed({ crowd }: Scene, newcomers: readonly RosterWatch[]): Promise<void> {
  const { nodes, names, watches } = crowd;
  const added = newcomers.map((_, n) => `newcomer-${n}`);
  for (const watch of [...watches, ...newcomers]) await becomes(15, [...added, ...names], () => watch.members(ROOM));
  for (const node of nodes) {
    await becomes(15, stateWith([...added, ...names]), () => stateOf(node, ROOM));
    await becomes(15, 200, async () => (await node.readiness()).status);
  }
  await crowd.expectEventsOnce();
  for (const watch of watches) {
    await watch.client.settle();
    expect(watch.changes).toEqual(added.map((name) => `+${name}`));
  }
  for (const watch of [...watches, ...newcomers]) expect(watch.violations).toEqual([]);
}

describe.concurrent('In a Redis Cluster', () => {
  it('a master hands over to its replica', { timeout: TIMEOUT_MS }, async (context) => {
    const all = await scene(context);
    await all.servers.handOver(await all.servers.masterOf(KEY));
    const newcomer = await RosterWatch.join(all.cluster.node(0), ROOM, 'newcomer-0');
    await expectNothingNoticed(all, [newcomer]);
  });

  it('a slot moves while it is used', { timeout: TIMEOUT_MS }, async (context) => {
    const all = await scene(context);
    let joining: Promise<RosterWatch> | undefined;
    await all.servers.moveSlot(KEY, async () => {
      joining = RosterWatch.join(all.cluster.node(0), ROOM, 'newcomer-0');
      // While it is moving nobody is let in: half of the members are elsewhere.
      const isIn = await Promise.race([joining.then(() => true), sleep(1_000, false)]);
      expect(isIn).toBe(false);
    });
    const newcomers = [
      await (joining as Promise<RosterWatch>),
      await RosterWatch.join(all.cluster.node(1), ROOM, 'newcomer-1'),
    ];
    await expectNothingNoticed(all, newcomers);
    // What was published was never refused: messages have no keys.
    for (const { answers } of all.crowd.publishers) expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  });

  it('a master comes back empty, before anybody could replace it', { timeout: TIMEOUT_MS }, async (context) => {
    const all = await scene(context);
    const master = await all.servers.masterOf(KEY);
    await master.restart();
    expect(await all.servers.masterOf(KEY)).toBe(master);
    const newcomer = await RosterWatch.join(all.cluster.node(0), ROOM, 'newcomer-0');
    await expectNothingNoticed(all, [newcomer]);
    expect(await stateOf(all.cluster.node(2), ROOM)).toEqual(stateWith(['newcomer-0', ...all.crowd.names]));
  });

  it('a node dies, and the list of the living is lost with it', { timeout: TIMEOUT_MS }, async (context) => {
    const all = await scene(context);
    const master = await all.servers.masterOf('{pogo}');
    expect(master).not.toBe(await all.servers.masterOf(KEY));
    const [dead, ...living] = [all.crowd.nodes[1], all.crowd.nodes[0], all.crowd.nodes[2]] as [
      GatewayProcess,
      ...GatewayProcess[],
    ];
    const left = all.crowd.watches.filter((_, i) => i % 3 !== 1);
    await Promise.all(all.crowd.publishers.map((publisher) => publisher.stop()));
    await Promise.all([dead.kill(), master.restart()]);
    const remaining = all.crowd.names.filter((_, i) => i % 3 !== 1);
    for (const node of living) await becomes(30, stateWith(remaining), () => stateOf(node, ROOM));
    // If somebody has looked soon, the clients hear when transitions are no longer held back.
    for (const watch of left) await becomes(15, remaining, () => watch.members(ROOM));
    for (const watch of left) {
      expect(watch.changes.toSorted()).toEqual(['-user-0001', '-user-0004']);
      expect(watch.violations).toEqual([]);
    }
  });
});
