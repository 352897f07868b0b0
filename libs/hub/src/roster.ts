import type { Member } from '@pogo/pusher-protocol';
import type { Joined, KnownMembers } from './directory/channel-directory.js';

/** A member who came or went, as it reaches clients. */
export interface RosterChange {
  readonly type: 'member_added' | 'member_removed';
  readonly member: Member;
  readonly serial: number;
}

/** Of fewer members all are answered: that costs no more than finding out who is new. */
const WORTH_KNOWING = 64;

/** What the directory says about a channel's members at one moment. */
export interface MemberSnapshot {
  readonly serial: number;
  readonly members: readonly Member[];
}

/** Whether a client of this node was there as the user before `serial`, and still is. */
type IsHosted = (userId: string, serial: number) => boolean;

/**
 * The members of a presence channel as this node has told its clients. Transitions keep it up to date; when some may
 * have been missed it is stale, and what the clients should have heard follows from a new reading.
 */
export class Roster {
  /** Undefined until the first joiner has its answer. */
  private members: Map<string, Member> | undefined;
  private serial = 0;
  /** As of the latest change. */
  private listed: KnownMembers | undefined;
  /** What arrived before that answer, which may be older. */
  private early: RosterChange[] = [];
  /** What joiners were told that has not reached those before them: they know more, until `serial` is there. */
  private snapshots: MemberSnapshot[] = [];
  /** While stale: transitions that a reading may have seen already. */
  private deferred: RosterChange[] | undefined;

  constructor(isStale = false) {
    if (isStale) this.deferred = [];
  }

  /** The latest serial that somebody here was told of. */
  get newest(): number {
    return Math.max(this.serial, this.snapshots.at(-1)?.serial ?? 0);
  }

  get isStale(): boolean {
    return this.deferred !== undefined;
  }

  becomeStale(): void {
    this.deferred ??= [];
  }

  /**
   * All members at a serial, for whoever joins next, if that is worth the while and they are known. The same list as
   * long as nobody comes or goes.
   */
  get known(): KnownMembers | undefined {
    if (this.isStale || this.members === undefined || this.members.size < WORTH_KNOWING) return undefined;
    this.listed ??= { serial: this.serial, members: [...this.members.values()] };
    return this.listed;
  }

  /** Somebody joins: the members that it is told. */
  admit({ serial, members, isProvisional = false }: Joined): readonly Member[] {
    if (this.members === undefined) {
      this.begin({ serial, members });
      return members;
    }
    const told = isProvisional ? this.withThose(members, this.members) : members;
    // Joins without a transition in between have the same serial and the same members.
    if (serial > this.newest) this.snapshots.push({ serial, members: told });
    return told;
  }

  /** Takes note of a transition that has arrived. False when the clients are not to hear of it, or not yet. */
  take(change: RosterChange, isHosted: IsHosted): boolean {
    if (this.deferred !== undefined) {
      this.deferred.push(change);
      return false;
    }
    if (this.members === undefined) {
      this.early.push(change);
      return true;
    }
    if (change.serial <= this.serial) return false;
    const isNews = this.apply(change, isHosted);
    this.pass(change.serial);
    return isNews;
  }

  /** Everything up to `serial` has arrived. */
  pass(serial: number): void {
    if (this.deferred !== undefined || this.members === undefined || serial <= this.serial) return;
    this.serial = serial;
    if (this.listed !== undefined) this.listed = { ...this.listed, serial };
    if (this.snapshots.length > 0) this.snapshots = this.snapshots.filter((snapshot) => snapshot.serial > serial);
  }

  /**
   * Ends being stale with what the directory says now, asked after everybody here was told what they know. What the clients have missed, in an order and with serials that
   * make it right for each of them: a change is for those who were told of nothing newer.
   */
  synchronise(now: MemberSnapshot, isHosted: IsHosted): RosterChange[] {
    const deferred = this.deferred ?? [];
    this.deferred = undefined;
    const missed: RosterChange[] = [];
    if (this.members !== undefined) this.catchUp(now, isHosted, missed);
    return [...missed, ...deferred.filter((change) => this.take(change, isHosted))];
  }

  private begin({ serial, members }: MemberSnapshot): void {
    this.members = new Map(members.map((member) => [member.userId, member]));
    this.serial = serial;
    const early = this.early.filter((change) => change.serial > serial);
    this.early = [];
    for (const change of early) {
      this.apply(change, () => false);
      this.serial = change.serial;
    }
  }

  private catchUp(now: MemberSnapshot, isHosted: IsHosted, missed: RosterChange[]): void {
    const { newest } = this;
    // A store that has gone back in time: its differences are for everybody, whatever they were told last.
    const latest = now.serial > newest ? now : { ...now, serial: newest + 0.5 };
    for (const snapshot of [...this.snapshots, latest]) {
      for (const change of this.differences(snapshot)) if (this.apply(change, isHosted)) missed.push(change);
      this.serial = Math.max(this.serial, snapshot.serial);
    }
    this.snapshots = [];
  }

  /** While nodes still have to say what they hold, nobody is taken for gone. */
  private withThose(members: readonly Member[], known: ReadonlyMap<string, Member>): readonly Member[] {
    const present = new Set(members.map(({ userId }) => userId));
    return [...members, ...[...known.values()].filter(({ userId }) => !present.has(userId))];
  }

  private differences({ serial, members }: MemberSnapshot): RosterChange[] {
    const present = new Set(members.map(({ userId }) => userId));
    const known = this.members ?? new Map<string, Member>();
    const gone = [...known.values()].filter(({ userId }) => !present.has(userId));
    const added = members.filter(({ userId }) => !known.has(userId));
    return [
      ...gone.map((member) => ({ type: 'member_removed', member, serial }) as const),
      ...added.map((member) => ({ type: 'member_added', member, serial }) as const),
    ];
  }

  /** False: the clients know already, or one of them is the user that is said to have left. */
  private apply({ type, member, serial }: RosterChange, isHosted: IsHosted): boolean {
    const { members } = this;
    const { userId } = member;
    if (members === undefined) return false;
    if (type === 'member_removed' ? isHosted(userId, serial) || !members.has(userId) : members.has(userId))
      return false;
    this.listed = undefined;
    if (type === 'member_added') members.set(userId, member);
    else members.delete(userId);
    return true;
  }
}
