import { describe, expect, it } from 'vitest';
import { Cluster } from '../support/cluster.js';
import { START_TIMEOUT_MS, type GatewayProcess } from '../support/gateway-process.js';
import {
  becomes,
  incarnationsIn,
  RosterWatch,
  stateOf,
  stateWith,
  tracesOf,
  usersNamed,
} from '../support/roster-watch.js';

const ROOM = 'presence-room';
const TIMEOUT_MS = START_TIMEOUT_MS + 60_000;

describe.concurrent('a node that', () => {
  it(
    'is killed with 200 members: all are gone elsewhere within 15 s, each announced once',
    { timeout: TIMEOUT_MS },
    async ({ onTestFinished }) => {
      const cluster = await Cluster.start({ settings: { presence_max_members: '300' } });
      onTestFinished(() => cluster.stop());
      const others = [cluster.node(1), cluster.node(2)];
      const before = await incarnationsIn(cluster.redis);
      const watches = await Promise.all(others.map((node, i) => RosterWatch.join(node, ROOM, `watch-${i}`)));
      const crowd = usersNamed('user', 200);
      await Promise.all(crowd.map((id) => RosterWatch.join(cluster.node(0), ROOM, id)));
      // Who has a second tab elsewhere stays.
      watches.push(await RosterWatch.join(cluster.node(1), ROOM, 'user-0007'));
      await (await cluster.node(0).connect()).subscribe('only-there');
      for (const watch of watches) await becomes(20, 202, () => watch.members(ROOM).length);

      const left = ['user-0007', 'watch-0', 'watch-1'];
      const killedAt = performance.now();
      const remaining = () => 15 - (performance.now() - killedAt) / 1_000;
      await cluster.node(0).kill();
      for (const watch of watches) await becomes(remaining(), left, () => watch.members(ROOM));
      for (const node of others) {
        await becomes(remaining(), stateWith(left), () => stateOf(node, ROOM));
        await becomes(remaining(), { connections: 3 }, () => bodyOf(node, '/connections'));
        await becomes(remaining(), { channels: { [ROOM]: {} } }, () => bodyOf(node, '/channels'));
      }
      for (const watch of watches) {
        await watch.client.settle();
        expect(watch.violations).toEqual([]);
        const removals = watch.changes.filter((change) => change.startsWith('-')).sort();
        expect(removals).toEqual(crowd.filter((id) => id !== 'user-0007').map((id) => `-${id}`));
      }
      await becomes(15, 2, async () => (await incarnationsIn(cluster.redis)).length);
      const alive = await incarnationsIn(cluster.redis);
      const dead = before.filter((name) => !alive.includes(name));
      expect(dead).toHaveLength(1);
      expect(await tracesOf(cluster.redis, dead)).toEqual([]);
    },
  );

  it(
    'is frozen past its lease comes back with its members, and nothing is doubled',
    { timeout: TIMEOUT_MS },
    async ({ onTestFinished }) => {
      const cluster = await Cluster.start();
      onTestFinished(() => cluster.stop());
      const [frozen, second, third] = [cluster.node(0), cluster.node(1), cluster.node(2)];
      const names = usersNamed('inside', 10);
      const inside = await Promise.all(names.map((id) => RosterWatch.join(frozen, ROOM, id)));
      const outside = await Promise.all([
        ...['both', 'leaver'].map((id) => RosterWatch.join(second, ROOM, id)),
        RosterWatch.join(third, ROOM, 'stays'),
      ]);
      const [both, leaver, stays] = outside as [RosterWatch, RosterWatch, RosterWatch];
      inside.push(await RosterWatch.join(frozen, ROOM, 'both'));
      await RosterWatch.acquainted([...inside, ...outside], ROOM, 13);

      frozen.freeze();
      await leaver.leave();
      outside.push(await RosterWatch.join(third, ROOM, 'newcomer'));
      for (const watch of [both, stays]) await becomes(30, ['both', 'newcomer', 'stays'], () => watch.members(ROOM));
      expect((await second.http.publish(ROOM, 'while-frozen', '1')).status).toBe(200);
      frozen.thaw();

      const all = ['both', ...names, 'newcomer', 'stays'];
      for (const watch of [...inside, both, stays]) await becomes(10, all, () => watch.members(ROOM));
      for (const node of [frozen, second, third]) await becomes(10, stateWith(all, 14), () => stateOf(node, ROOM));
      for (const node of [frozen, second, third]) {
        expect((await node.http.publish(ROOM, `from-${node.port}`, '1')).status).toBe(200);
        for (const { client } of [...inside, both, stays]) await client.receive(`from-${node.port}`);
      }
      for (const watch of [both, stays]) {
        for (const name of names) expect([watch.count(`-${name}`), watch.count(`+${name}`)]).toEqual([1, 1]);
        expect(watch.count('-both')).toBe(0);
      }
      for (const watch of inside) {
        expect([...watch.changes].sort()).toEqual(['+newcomer', '-leaver']);
        expect(watch.client.count('while-frozen')).toBeLessThanOrEqual(1);
      }

      await Promise.all(inside.map((watch) => watch.leave()));
      for (const watch of [both, stays]) await becomes(15, ['both', 'newcomer', 'stays'], () => watch.members(ROOM));
      for (const name of names) expect(stays.count(`-${name}`)).toBe(2);
      for (const watch of [...inside, ...outside]) expect(watch.violations).toEqual([]);
    },
  );

  it(
    'is killed while it cleans up after another leaves the rest to the third',
    { timeout: TIMEOUT_MS },
    async ({ onTestFinished }) => {
      const cluster = await Cluster.start({
        throughProxy: true,
        settings: { client_msg_rate_limit: '-1', outbound_queue_size: '8192' },
      });
      onTestFinished(() => cluster.stop());
      const { redis } = cluster;
      const rooms = Array.from({ length: 100 }, (_, room) => `${ROOM}-${room}`);
      const [doomed, reaper, survivor] = [cluster.node(0), cluster.node(1), cluster.node(2)];
      const before = await incarnationsIn(redis);
      const watches = await Promise.all(rooms.slice(0, 4).map(async () => new RosterWatch(await survivor.connect())));
      await Promise.all(
        rooms.map((room, i) => (watches[i % 4] as RosterWatch).client.subscribe(room, { user_id: 'watch' })),
      );
      const crowd = usersNamed('user', 20);
      await Promise.all(
        crowd.map(async (id) => {
          const client = await doomed.connect();
          await client.signin({ id });
          await Promise.all(rooms.map((room) => client.subscribe(room, { user_id: id })));
        }),
      );
      await Promise.all(rooms.slice(0, 3).map((room) => RosterWatch.join(reaper, room, 'with-the-reaper')));
      const seen = () => watches.reduce((sum, watch) => sum + numberOfMembers(watch, rooms), 0);
      await becomes(30, 100 * 21 + 3, seen);
      const dead = await incarnationWith(redis, crowd.length);

      await doomed.kill();
      // Only one can find that the lease is over. That of the frozen one, who spoke within the last heartbeat, lasts longer.
      await becomes(15, true, async () => (await leaseLeftMs(redis, dead)) < 2_500);
      survivor.freeze();
      let calls = 0;
      const isReaping = (chunk: Buffer) => chunk.includes('{pogo:1:') && chunk.includes(dead);
      await cluster.proxy(1).dropAnswersOnce((chunk) => isReaping(chunk) && ++calls === 20);
      await reaper.kill();
      survivor.thaw();
      expect((await tracesOf(redis, [dead])).length).toBeGreaterThan(20);

      await becomes(30, 100, seen);
      await becomes(15, 1, async () => (await incarnationsIn(redis)).length);
      const alive = await incarnationsIn(redis);
      expect(
        await tracesOf(
          redis,
          before.filter((name) => !alive.includes(name)),
        ),
      ).toEqual([]);
      for (const room of rooms) expect(await stateOf(survivor, room)).toEqual(stateWith(['watch']));
      for (const watch of watches) {
        await watch.client.settle();
        expect(watch.violations).toEqual([]);
        for (const id of crowd) expect([watch.count(`+${id}`), watch.count(`-${id}`)]).toEqual([25, 25]);
      }
      expect(await onlineUsers(redis)).toEqual([]);
    },
  );
});

async function bodyOf(node: GatewayProcess, path: string): Promise<unknown> {
  return (await node.http.get(path)).body;
}

function numberOfMembers(watch: RosterWatch, rooms: readonly string[]): number {
  return rooms.reduce((sum, room) => sum + watch.members(room).length, 0);
}

type Redis = Cluster['redis'];

/** The incarnation of the node with so many connections. */
async function incarnationWith(redis: Redis, connections: number): Promise<string> {
  const find = async () => {
    for (const name of await incarnationsIn(redis)) {
      if ((await redis.inspector.hget(`{pogo}:c:${name}`, '1')) === String(connections)) return name;
    }
    return undefined;
  };
  await becomes(15, true, async () => (await find()) !== undefined);
  return String(await find());
}

async function leaseLeftMs({ inspector }: Redis, incarnation: string): Promise<number> {
  const [seconds, micros] = await inspector.time();
  const end = await inspector.zscore('{pogo}:l', incarnation);
  return Number(end) - Number(seconds) * 1_000 - Number(micros) / 1_000;
}

/** Users that somebody is signed in as, as Redis knows. */
async function onlineUsers({ inspector }: Redis): Promise<string[]> {
  return (await inspector.keys('{pogo:1:u*}:s:*')).sort();
}
