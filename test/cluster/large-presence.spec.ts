import { expect, it } from 'vitest';
import { Cluster } from '../support/cluster.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { becomes, RosterWatch, stateOf, stateWith, usersNamed } from '../support/roster-watch.js';

const ROOM = 'presence-large';
const MEMBERS = 120;
const ROUNDS = 8;
const CHANGES = 12;

/** So many that a node asks for those only that it does not know. */
it(
  'in a large presence channel everybody knows everybody, whoever comes and goes at the same time',
  { timeout: START_TIMEOUT_MS + 120_000 },
  async ({ onTestFinished }) => {
    const cluster = await Cluster.start({ nodes: 2, settings: { presence_max_members: '1000' } });
    onTestFinished(() => cluster.stop());
    const join = (name: string, at: number) => RosterWatch.join(cluster.node(at % 2), ROOM, name);
    const watches = await Promise.all(usersNamed('first', MEMBERS).map(join));
    await RosterWatch.acquainted(watches, ROOM, MEMBERS);
    for (let round = 0; round < ROUNDS; round++) {
      const leaving = watches.splice(0, CHANGES);
      // Some come back as who they were, on the other node.
      const names = [...usersNamed(`round-${round}`, CHANGES - 2), ...usersNamed('first', MEMBERS).slice(0, 2)];
      const [joined] = await Promise.all([
        Promise.all(names.map((name, at) => join(name, round + at))),
        ...leaving.map((watch) => watch.leave()),
      ]);
      watches.push(...joined);
    }
    const state = (await stateOf(cluster.node(0), ROOM)) as { ids: string[] };
    for (const n of [0, 1]) {
      await becomes(10, stateWith(state.ids, watches.length), () => stateOf(cluster.node(n), ROOM));
    }
    expect(state.ids.length).toBeGreaterThan(100);
    for (const watch of watches) await becomes(10, state.ids, () => watch.members(ROOM));
    for (const watch of watches) expect(watch.violations).toEqual([]);
  },
);
