import { isCached } from './channels.js';

/** What one client has been told about one channel, in order. */
export class ChannelView {
  /** The last that the client has asked for: in or out. */
  isWanted = false;
  /** When the oldest subscription without an answer was asked for. */
  askedAt: number | undefined;
  /** Acknowledged, and nothing else was asked for since. */
  steadySince: number | undefined;
  /** Connections in the channel, as it was told last since it was joined. */
  count: number | undefined;
  /** Of a presence channel. */
  members: Set<string> | undefined;
  /** Events in the order in which they came: the last one before the last check, and those since. */
  sequence: number[] = [];
  private readonly seen = new Set<number>();
  private pendingAnswers = 0;
  private hasBeenAnswered = false;
  private expectsCached = false;

  constructor(
    readonly channel: string,
    private readonly complain: (text: string) => void,
  ) {}

  get isAnswered(): boolean {
    return this.pendingAnswers === 0;
  }

  ask(now: number): void {
    this.isWanted = true;
    this.pendingAnswers++;
    this.askedAt ??= now;
    // A new acknowledgement brings the last event only: those right before it are in nobody's promise.
    if (isCached(this.channel)) this.steadySince = undefined;
  }

  leave(): void {
    this.isWanted = false;
    this.steadySince = undefined;
    this.count = undefined;
  }

  has(number: number): boolean {
    return this.seen.has(number);
  }

  acknowledged(members: readonly string[] | undefined, now: number): void {
    if (this.pendingAnswers === 0) this.complain(`${this.channel}: acknowledged unasked`);
    else this.pendingAnswers--;
    this.hasBeenAnswered = true;
    this.askedAt = this.pendingAnswers > 0 ? now : undefined;
    if (this.pendingAnswers === 0 && this.isWanted) this.steadySince ??= now;
    this.expectsCached = isCached(this.channel);
    if (members === undefined) return;
    this.members = new Set(members);
    if (this.members.size !== members.length) this.complain(`${this.channel}: members twice in ${members.join()}`);
  }

  counted(count: number): void {
    if (this.expectsCached) this.complain(`${this.channel}: a count between acknowledgement and cached event`);
    this.count = count;
  }

  cacheMissed(): void {
    if (!this.expectsCached) this.complain(`${this.channel}: cache_miss not right after the acknowledgement`);
    this.expectsCached = false;
  }

  /** True when it is the last event that a cache channel keeps, as part of an acknowledgement. */
  received(number: number): boolean {
    const { channel, expectsCached } = this;
    this.expectsCached = false;
    if (!this.hasBeenAnswered) this.complain(`${channel}: event ${number} before the acknowledgement`);
    if (this.seen.has(number)) {
      if (!expectsCached) this.complain(`${channel}: event ${number} twice`);
      return expectsCached;
    }
    this.seen.add(number);
    // As part of the acknowledgement it is a state, and comes before all that was held meanwhile.
    if (!expectsCached) this.sequence.push(number);
    return expectsCached;
  }

  memberAdded(user: string): void {
    if (this.isOutOfPlace(`member_added ${user}`)) return;
    if (this.members?.has(user)) this.complain(`${this.channel}: member_added ${user}, who is known already`);
    this.members?.add(user);
  }

  memberRemoved(user: string): void {
    if (this.isOutOfPlace(`member_removed ${user}`)) return;
    if (!this.members?.delete(user)) this.complain(`${this.channel}: member_removed ${user}, who is not known`);
  }

  private isOutOfPlace(what: string): boolean {
    if (this.expectsCached) this.complain(`${this.channel}: ${what} between acknowledgement and cached event`);
    if (this.members === undefined) this.complain(`${this.channel}: ${what} before the acknowledgement`);
    return this.members === undefined;
  }
}
