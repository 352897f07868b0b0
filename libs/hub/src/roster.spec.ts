import { describe, expect, it } from 'vitest';
import type { Joined } from './directory/channel-directory.js';
import { Roster, type RosterChange } from './roster.js';

const nobody = () => false;
const snapshot = (serial: number, ids: string) => ({ serial, members: [...ids].map((userId) => ({ userId })) });
const joined = (serial: number, ids: string, isProvisional = false): Joined => ({
  outcome: 'joined',
  transitions: [],
  isProvisional,
  ...snapshot(serial, ids),
});
const added = (userId: string, serial: number): RosterChange => ({ type: 'member_added', member: { userId }, serial });
const removed = (userId: string, serial: number): RosterChange => ({
  type: 'member_removed',
  member: { userId },
  serial,
});
const ids = (members: readonly { readonly userId: string }[]) => members.map(({ userId }) => userId).join('');
const words = (changes: readonly RosterChange[]) =>
  changes.map(({ type, member, serial }) => `${type === 'member_added' ? '+' : '-'}${member.userId}@${serial}`);

function rosterOf(serial: number, members: string, isStale = false): Roster {
  const roster = new Roster(isStale);
  roster.admit(joined(serial, members));
  return roster;
}

describe('Roster', () => {
  it('lets through what is news, once', () => {
    const roster = rosterOf(10, 'ab');
    expect(roster.take(added('c', 11), nobody)).toBe(true);
    expect(roster.take(added('c', 11), nobody)).toBe(false);
    expect(roster.take(added('a', 12), nobody)).toBe(false);
    expect(roster.take(removed('x', 13), nobody)).toBe(false);
    expect(roster.take(removed('a', 14), nobody)).toBe(true);
  });

  it('ignores what the first answer shows already', () => {
    const roster = rosterOf(10, 'ab');
    expect(roster.take(removed('b', 9), nobody)).toBe(false);
    expect(words(roster.synchronise(snapshot(10, 'ab'), nobody))).toEqual([]);
  });

  it('counts what arrived before the first answer and is newer', () => {
    const roster = new Roster();
    expect(roster.take(removed('x', 9), nobody)).toBe(true);
    expect(roster.take(added('c', 12), nobody)).toBe(true);
    roster.admit(joined(10, 'ab'));
    expect(roster.take(removed('c', 15), nobody)).toBe(true);
    expect(words(roster.synchronise(snapshot(15, 'ab'), nobody))).toEqual([]);
  });

  it('tells nobody that a user has left who is connected here', () => {
    const roster = rosterOf(10, 'ab');
    const hosted = (userId: string, serial: number) => userId === 'a' && serial > 5;
    expect(roster.take(removed('a', 11), hosted)).toBe(false);
    expect(roster.take(added('a', 12), hosted)).toBe(false);
    expect(words(roster.synchronise(snapshot(13, 'b'), hosted))).toEqual([]);
    expect(words(roster.synchronise(snapshot(14, 'b'), nobody))).toEqual(['-a@14']);
  });

  it('makes up for lost transitions', () => {
    const roster = rosterOf(10, 'abc');
    roster.becomeStale();
    expect(words(roster.synchronise(snapshot(20, 'bd'), nobody))).toEqual(['-a@20', '-c@20', '+d@20']);
    expect(roster.take(added('d', 20), nobody)).toBe(false);
    expect(roster.take(removed('d', 21), nobody)).toBe(true);
  });

  it('waits with transitions while it is stale, and takes those that the reading has not seen', () => {
    const roster = rosterOf(10, 'a');
    roster.becomeStale();
    expect(roster.take(added('b', 12), nobody)).toBe(false);
    expect(roster.take(added('c', 22), nobody)).toBe(false);
    expect(words(roster.synchronise(snapshot(20, 'ab'), nobody))).toEqual(['+b@20', '+c@22']);
  });

  it('tells those who were there what a joiner has been told, with a serial that leaves the joiner out', () => {
    const roster = rosterOf(10, 'ab');
    roster.becomeStale();
    expect(ids(roster.admit(joined(12, 'bc')))).toBe('bc');
    expect(words(roster.synchronise(snapshot(20, 'cd'), nobody))).toEqual(['-a@12', '+c@12', '-b@20', '+d@20']);
  });

  it('tells everybody what a store says that has gone back in time', () => {
    const roster = rosterOf(10, 'a');
    roster.becomeStale();
    roster.admit(joined(15, 'abc'));
    expect(roster.newest).toBe(15);
    expect(words(roster.synchronise(snapshot(12, 'ab'), nobody))).toEqual(['+b@15', '+c@15', '-c@15.5']);
    expect(words(roster.synchronise(snapshot(9, 'a'), nobody))).toEqual(['-b@16']);
  });

  it('forgets what joiners were told once the others have it', () => {
    const roster = rosterOf(10, 'a');
    roster.admit(joined(11, 'ab'));
    roster.take(added('b', 11), nobody);
    roster.take(removed('b', 12), nobody);
    roster.becomeStale();
    expect(words(roster.synchronise(snapshot(12, 'a'), nobody))).toEqual([]);
  });

  it('does not take for gone whom a provisional answer leaves out', () => {
    const roster = rosterOf(10, 'ab', true);
    expect(ids(roster.admit(joined(12, 'c', true)))).toBe('cab');
    expect(words(roster.synchronise(snapshot(20, 'bc'), nobody))).toEqual(['+c@12', '-a@20']);
  });

  it('hands on what it held when it was stale before the first answer', () => {
    const roster = new Roster(true);
    expect(roster.take(added('b', 12), nobody)).toBe(false);
    expect(words(roster.synchronise(snapshot(12, 'ab'), nobody))).toEqual(['+b@12']);
    roster.admit(joined(11, 'a'));
    expect(roster.take(removed('b', 13), nobody)).toBe(true);
  });

  it('knows all members of a large channel as of the latest change, unless some may have been missed', () => {
    const many = Array.from({ length: 64 }, (_, n) => ({ userId: `u${n}` }));
    const roster = new Roster();
    expect(roster.known).toBeUndefined();
    roster.admit({ ...joined(10, ''), members: many });
    expect(roster.known).toEqual({ serial: 10, members: many });
    expect(roster.known?.members).toBe(roster.known?.members);
    roster.take(added('x', 11), nobody);
    expect(roster.known).toEqual({ serial: 11, members: [...many, { userId: 'x' }] });
    roster.pass(12);
    roster.take(removed('u0', 13), nobody);
    expect(roster.known).toEqual({ serial: 13, members: [...many.slice(1), { userId: 'x' }] });
    // A user of this node, who is said to have left: the directory knows one member less.
    roster.take(removed('u1', 14), () => true);
    expect(roster.known?.members).toHaveLength(64);
    roster.becomeStale();
    expect(roster.known).toBeUndefined();
    expect(rosterOf(10, 'abc').known).toBeUndefined();
  });
});
