import { Logger } from '@nestjs/common';
import { pauseBeforeAskingAgain } from './ask-again.js';
import type { Channel } from './channel.js';
import type { Delivery } from './delivery.js';
import type { ChannelDirectory, Joined } from './directory/channel-directory.js';
import type { Registry } from './registry.js';
import { Roster } from './roster.js';
import { UnavailableError } from './unavailable-error.js';

const READ_AT_ONCE = 64;
/** What interrupts one node has usually interrupted others: they are given time to say what they hold. */
const SETTLE_MS = 1_500;
/** A reading may have been overtaken by a join; one that stays old is of a store that has lost its latest writes. */
const OLD_READINGS = 3;

/** Whoever tells clients something that can be missed. Never rejects. */
export interface Refreshed {
  /** From now on changes are missed. */
  interrupted?(): void;
  /** Up to now changes may have been missed. */
  missed?(): void;
  /** What was missed can be read. */
  refresh(): Promise<void>;
}

/**
 * Keeps what clients know of presence channels right when transitions were lost: after the broker was away, while the
 * directory is incomplete, and after this node was taken for dead.
 */
export class Rosters {
  private readonly logger = new Logger(Rosters.name);
  private isInterrupted = false;
  private isHeldBack = false;
  private round = 0;

  constructor(
    private readonly registry: Registry,
    private readonly directory: ChannelDirectory,
    private readonly delivery: Delivery,
    /** What else must be read again when something was missed. */
    private readonly others: readonly Refreshed[],
  ) {}

  /** Before anybody joins: what arrives while the first one waits for its answer counts. */
  open(channel: Channel): void {
    if (channel.name.kind === 'presence') channel.roster ??= new Roster(this.isInterrupted || this.isHeldBack);
  }

  /** The answer of a join as its client is told it. */
  admit({ roster }: Channel, answer: Joined): Joined {
    if (roster === undefined) return answer;
    // Half a step before: a later reading with the same serial may say otherwise, and must reach this joiner as well.
    const told = answer.isProvisional ? { ...answer, serial: answer.serial - 0.5 } : answer;
    return { ...told, members: roster.admit(told) };
  }

  /** Messages are being lost. */
  interrupted(): void {
    this.isInterrupted = true;
    this.interruptOthers();
    this.becomeStale();
  }

  resumed(): void {
    this.isInterrupted = false;
    this.missed();
  }

  /** Transitions may have been missed. */
  missed(): void {
    this.becomeStale();
    const { round } = this;
    setTimeout(() => {
      if (round === this.round) this.synchronise();
    }, SETTLE_MS).unref();
  }

  /** Transitions are not announced. */
  heldBack(): void {
    this.isHeldBack = true;
    this.interruptOthers();
    this.becomeStale();
  }

  released(): void {
    this.isHeldBack = false;
    this.synchronise();
  }

  private interruptOthers(): void {
    for (const other of this.others) other.interrupted?.();
  }

  private becomeStale(): void {
    this.round++;
    for (const other of this.others) other.missed?.();
    for (const channel of this.registry.allChannels()) channel.roster?.becomeStale();
  }

  /** Reads all stale rosters again, unless more is about to be missed: then the end of that does it. */
  private synchronise(): void {
    if (this.isInterrupted || this.isHeldBack) return;
    for (const other of this.others) void other.refresh();
    const round = ++this.round;
    const channels = [...this.registry.allChannels()].filter(({ roster }) => roster?.isStale).values();
    for (let i = 0; i < READ_AT_ONCE; i++) void this.readAll(channels, round);
  }

  private async readAll(channels: Iterator<Channel, undefined>, round: number): Promise<void> {
    for (let next = channels.next(); !next.done; next = channels.next()) {
      for (let failures = 0; !(await this.read(next.value, round, failures)); failures++) {
        await pauseBeforeAskingAgain(failures);
      }
    }
  }

  /** False when it must be read again. */
  private async read(channel: Channel, round: number, failures: number): Promise<boolean> {
    const { roster } = channel;
    if (round !== this.round || roster === undefined) return true;
    try {
      const state = await this.directory.findChannel(channel.app.id, channel.name.name, { members: true });
      if (round !== this.round || channel.roster !== roster) return true;
      if (state.isProvisional || (state.serial < roster.newest && failures < OLD_READINGS)) return false;
      const { serial, members = [] } = state;
      const missed = roster.synchronise({ serial, members }, (userId, at) => channel.hosts(userId, at));
      for (const change of missed) this.delivery.announce(channel, change);
      return true;
    } catch (error) {
      if (error instanceof UnavailableError) return false;
      this.logger.error(error);
      return true;
    }
  }
}
