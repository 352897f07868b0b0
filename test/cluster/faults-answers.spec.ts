import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from '../support/cluster.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { becomes, incarnationsIn, RosterWatch, stateOf, stateWith } from '../support/roster-watch.js';

let cluster: Cluster;
let rooms = 0;
const nextRoom = () => `presence-room-${++rooms}`;
beforeAll(async () => {
  cluster = await Cluster.start({ nodes: 2, throughProxy: true });
}, START_TIMEOUT_MS);
afterAll(() => cluster.stop());

/** An answer to the first node that gets lost: to a script, or a plain command, that names all of these. */
function losesAnswerTo(...names: readonly string[]): Promise<void> {
  return cluster.proxy(0).dropAnswersOnce((chunk) => names.every((name) => chunk.includes(name)));
}

/** Two who watch, one on each node: the one who shares a node with what goes wrong, and the other. */
async function watchersOf(room: string, members = 2): Promise<RosterWatch[]> {
  const watches = [
    await RosterWatch.join(cluster.node(0), room, 'here'),
    await RosterWatch.join(cluster.node(1), room, 'there'),
  ];
  await RosterWatch.acquainted(watches, room, members);
  return watches;
}

/** Runs what makes a node begin anew, and waits until nothing is left of the lives before. */
async function throughNewLife(action: () => Promise<void>): Promise<void> {
  const before = await incarnationsIn(cluster.redis);
  await action();
  const isOver = async () => {
    const now = await incarnationsIn(cluster.redis);
    return now.length === 2 && now.some((name) => !before.includes(name));
  };
  await becomes(10, true, isOver);
  for (const index of [0, 1]) await becomes(10, 200, async () => (await cluster.node(index).readiness()).status);
}

async function expectState(room: string, ids: readonly string[]): Promise<void> {
  for (const index of [0, 1]) await becomes(10, stateWith(ids), () => stateOf(cluster.node(index), room));
}

/** All see `ids`, and have heard of nothing but `changes`. */
async function expectHeard(
  watches: readonly RosterWatch[],
  room: string,
  ids: string[],
  changes: string[],
): Promise<void> {
  for (const watch of watches) await becomes(15, ids, () => watch.members(room));
  for (const watch of watches) {
    await watch.client.settle();
    expect([watch.violations, watch.changes]).toEqual([[], changes]);
  }
}

describe('an answer of Redis that is lost', () => {
  it('to a join is asked for again: one acknowledgement, one announcement', async () => {
    const room = nextRoom();
    const watches = await watchersOf(room);
    let joiner: RosterWatch | undefined;
    await throughNewLife(async () => {
      const lost = losesAnswerTo('evalsha', room);
      joiner = await RosterWatch.join(cluster.node(0), room, 'joiner');
      await lost;
    });
    const ids = ['here', 'joiner', 'there'];
    await expectState(room, ids);
    await expectHeard(watches, room, ids, ['+joiner']);
    await expectHeard([joiner as RosterWatch], room, ids, []);
  });

  it('to a departure loses no departure and repeats none', async () => {
    const room = nextRoom();
    const leaver = await RosterWatch.join(cluster.node(0), room, 'leaver');
    const watches = await watchersOf(room, 3);
    await throughNewLife(async () => {
      const lost = losesAnswerTo('evalsha', room);
      leaver.client.unsubscribe(room);
      await lost;
    });
    await expectState(room, ['here', 'there']);
    await expectHeard(watches, room, ['here', 'there'], ['-leaver']);
  });

  it('to a heartbeat, or when everything is written down again, is noticed by nobody', async () => {
    const room = nextRoom();
    const watches = await watchersOf(room);
    await throughNewLife(() => losesAnswerTo('evalsha', '{pogo}:l'));
    await throughNewLife(async () => {
      const lost = losesAnswerTo('evalsha', room);
      cluster.proxy(0).cut();
      await lost;
    });
    await expectState(room, ['here', 'there']);
    await expectHeard(watches, room, ['here', 'there'], []);
  });

  it.each(['news', 'cache-news'])(
    'to a publish is status 6, on %s, and the event reaches nobody twice',
    async (channel) => {
      const clients = [await cluster.node(0).connect(), await cluster.node(1).connect()];
      for (const client of clients) await client.subscribe(channel);
      const { http } = cluster.node(0);
      const lost = losesAnswerTo('uncertain', channel);
      const askedAt = performance.now();
      expect(await http.publish(channel, 'uncertain', '1')).toMatchObject({ status: 500, body: { status: 6 } });
      expect(performance.now() - askedAt).toBeLessThan(4_000);
      await lost;
      // Waits for the connection that has just been lost.
      expect((await http.publish(channel, 'certain', '2')).status).toBe(200);
      for (const client of clients) {
        await client.receive('certain');
        expect([client.count('uncertain') <= 1, client.count('certain')]).toEqual([true, 1]);
      }
      if (channel === 'news') return;
      const late = await cluster.node(0).connect();
      await late.subscribe(channel);
      await late.receive('certain');
    },
  );
});

describe('answers of Redis that are lost for a while', () => {
  it('are asked for again: everybody is told once what happened meanwhile', async () => {
    const room = nextRoom();
    const watches = await watchersOf(room);
    const leavers = await Promise.all([0, 1].map((i) => RosterWatch.join(cluster.node(i), room, `leaver-${i}`)));
    await RosterWatch.acquainted(watches, room, 4);
    let late: Promise<RosterWatch> | undefined;
    const begunAt = performance.now();
    const { http } = cluster.node(0);

    await throughNewLife(async () => {
      cluster.proxy(0).dropAnswers();
      await Promise.all(leavers.map((leaver) => leaver.leave()));
      late = RosterWatch.join(cluster.node(0), room, 'late');
      await RosterWatch.join(cluster.node(1), room, 'newcomer');
      for (let i = 0; i < 3 || performance.now() - begunAt < 5_000; i++) {
        const askedAt = performance.now();
        expect(await http.publish(room, 'uncertain', String(i))).toMatchObject({ status: 500, body: { status: 6 } });
        expect(performance.now() - askedAt).toBeLessThan(4_000);
      }
      expect((await cluster.node(0).readiness()).status).toBe(503);
      cluster.proxy(0).passAnswers();
    });

    const ids = ['here', 'late', 'newcomer', 'there'];
    await expectState(room, ids);
    const changes = ['+late', '+newcomer', '-leaver-0', '-leaver-1'];
    for (const watch of [...watches, (await late) as RosterWatch]) {
      await becomes(10, ids, () => watch.members(room));
      expect(watch.violations).toEqual([]);
    }
    for (const watch of watches) expect([...watch.changes].sort()).toEqual(changes);
    for (const { client } of watches) {
      const heard = (await client.settle()).filter(({ event }) => event === 'uncertain').map(({ data }) => data);
      expect(new Set(heard).size).toBe(heard.length);
    }
  });
});
