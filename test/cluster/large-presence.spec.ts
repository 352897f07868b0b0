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
    const join = async (name: string, at: number) => ({
      name,
      watch: await RosterWatch.join(cluster.node(at % 2), ROOM, name),
    });
    const members = await Promise.all(usersNamed('first', MEMBERS).map(join));
    const watches = () => members.map(({ watch }) => watch);
    await RosterWatch.acquainted(watches(), ROOM, MEMBERS);
    for (let round = 0; round < ROUNDS; round++) {
      const leaving = members.splice(0, CHANGES);
      // Some come back as who they were, on the other node.
      const names = [...usersNamed(`round-${round}`, CHANGES - 2), ...usersNamed('first', MEMBERS).slice(0, 2)];
      const [joined] = await Promise.all([
        Promise.all(names.map((name, at) => join(name, round + at))),
        ...leaving.map(({ watch }) => watch.leave()),
      ]);
      members.push(...joined);
    }
    // Not what a node says first: it may not have got to those who went last.
    const ids = [...new Set(members.map(({ name }) => name))].sort();
    for (const n of [0, 1]) {
      await becomes(10, stateWith(ids, members.length), () => stateOf(cluster.node(n), ROOM));
    }
    expect(ids.length).toBeGreaterThan(100);
    for (const watch of watches()) await becomes(10, ids, () => watch.members(ROOM));
    for (const watch of watches()) expect(watch.violations).toEqual([]);
  },
);
