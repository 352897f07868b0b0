import { setTimeout as sleep } from 'node:timers/promises';
import { PusherErrors, SubscriptionError, type ChannelName, type Member } from '@pogo/pusher-protocol';
import { askAgain } from './ask-again.js';
import type { Connection } from './connection.js';
import { Departures } from './departures.js';
import type { ChannelDirectory, Held, JoinAnswer } from './directory/channel-directory.js';
import { emitTransitions, type HubEvents } from './hub-events.js';
import type { HubOptions } from './hub-options.js';
import type { Registry } from './registry.js';
import type { Rosters } from './rosters.js';
import { Subscription } from './subscription.js';
import type { TopicRegistry } from './topic-registry.js';
import { wishesOf } from './wishes.js';

const SETTLE_CHECK_MS = 5;

/** The client had left before the directory was asked. */
interface NotAsked {
  readonly outcome: 'not_asked';
}

/** The join never got its answer. */
interface Failure {
  readonly outcome: 'failed';
  readonly error: unknown;
}

type MemberLimit = Exclude<JoinAnswer, { readonly outcome: 'joined' }>;

/**
 * Joining and leaving channels: local maps first and synchronously, then the broker and the directory, and back again
 * when they refuse. A connection that goes away while it joins leaves again when the join's answer is in.
 */
export class Membership {
  /** Subscriptions without an answer yet, oldest first, and when they began. */
  private readonly joining = new Map<Subscription, number>();
  private readonly departures: Departures;

  constructor(
    private readonly registry: Registry,
    private readonly topics: TopicRegistry,
    private readonly directory: ChannelDirectory,
    private readonly rosters: Rosters,
    private readonly events: HubEvents,
    private readonly options: HubOptions,
    private readonly now: () => number,
  ) {
    this.departures = new Departures(directory, events);
  }

  /**
   * Resolves when the client has been acknowledged, or is gone; while much is pending in a presence channel, when that
   * is written, so that nobody can come and go faster than the others hear of it. Calls for one connection are made one at a time, as
   * its inbox does: a join must not meet an unfinished departure from the same channel.
   * @throws SubscriptionError when the subscription is refused; nothing of it is left then.
   */
  async subscribe(connection: Connection, name: ChannelName, member: Member | undefined): Promise<void> {
    if (!connection.isOpen) return;
    if (name.kind !== 'public') connection.isAuthorized = true;
    const present = connection.subscriptions.get(name.name);
    const isNew = present === undefined;
    const subscription = isNew ? this.add(connection, name, member) : rejoined(present, member);
    this.joining.set(subscription, this.now());
    const answer = await this.askToJoin(subscription);
    this.joining.delete(subscription);
    if (answer.outcome === 'joined') emitTransitions(this.events, answer.transitions);
    if (answer.outcome === 'not_asked' || subscription.hasLeft) {
      // Gone meanwhile. Whether the join took effect is unknown when its answer was lost: leaving is right either way.
      if (answer.outcome !== 'not_asked' || !isNew) void this.departures.tell(heldOf(subscription));
    } else if (answer.outcome === 'joined') {
      // Before the acknowledgement, which may be more than the client's outbox holds and end the subscription.
      subscription.hasBeenLive = true;
      if (isNew) this.events.emit('subscribed', { connection, channel: name.name });
      // A listener may have ended it.
      if (!subscription.hasLeft) subscription.goLive(this.rosters.admit(subscription.channel, answer));
      if (name.isCached && answer.cached === undefined) {
        this.events.emit('cacheMiss', { app: connection.app, channel: name.name });
      }
      if (member !== undefined) await subscription.channel.pending.whenWritten();
    } else {
      await this.refuse(subscription, answer);
    }
  }

  /** Resolves when the directory knows; until then the same connection must not subscribe to the channel again. */
  async unsubscribe(connection: Connection, channel: string): Promise<void> {
    const subscription = connection.subscriptions.get(channel);
    if (subscription === undefined) return;
    connection.subscriptions.delete(channel);
    await this.leave(subscription);
    if (subscription.member !== undefined) await subscription.channel.pending.whenWritten();
  }

  /** The connection is gone. The local part is done on return, the directory hears of it in the background. */
  leaveAll(connection: Connection): void {
    for (const subscription of connection.subscriptions.values()) void this.leave(subscription);
    connection.subscriptions.clear();
  }

  /** Closes connections whose subscription nobody could answer. Called by the sweeper. */
  sweep(now: number): void {
    for (const [subscription, since] of this.joining) {
      if (now - since < this.options.joinDeadlineMs) return;
      subscription.connection.close(PusherErrors.unavailable);
    }
  }

  /** What the directory knows of this node, or should. */
  *holdings(): Iterable<Held> {
    for (const channel of this.registry.allChannels()) {
      for (const subscription of channel.subscriptions) {
        yield heldOf(subscription);
      }
    }
  }

  /** Resolves when no join and no departure is on its way any more. */
  async settled(): Promise<void> {
    while (this.joining.size > 0 || this.departures.count > 0) await sleep(SETTLE_CHECK_MS);
  }

  /** Stops telling the directory what it does not take. */
  close(): void {
    this.departures.close();
  }

  private add(connection: Connection, name: ChannelName, member: Member | undefined): Subscription {
    const { maxChannelsPerConnection } = connection.app;
    if (connection.subscriptions.size >= maxChannelsPerConnection) {
      const reason = `A connection may subscribe to at most ${maxChannelsPerConnection} channels`;
      throw new SubscriptionError(name.name, 'LimitReached', reason);
    }
    const channel = this.registry.openChannel(connection.app, name);
    const subscription = new Subscription(connection, channel, member, this.options);
    connection.subscriptions.add(subscription);
    channel.subscriptions.add(subscription);
    this.rosters.open(channel);
    return subscription;
  }

  /** @throws SubscriptionError, or what else the join failed with, when nothing of the subscription is left. */
  private async refuse(subscription: Subscription, answer: MemberLimit | Failure): Promise<never> {
    this.detach(subscription);
    subscription.connection.subscriptions.delete(subscription.channel.name.name);
    if (answer.outcome === 'member_limit') throw memberLimit(subscription);
    await this.departures.tell(heldOf(subscription));
    throw answer.error;
  }

  private async askToJoin(subscription: Subscription): Promise<JoinAnswer | NotAsked | Failure> {
    const { connection, channel } = subscription;
    try {
      for (let work = this.topics.activate(channel); work !== undefined; work = this.topics.activate(channel)) {
        // A broker that is away must not hold what its clients have given up long ago.
        await Promise.race([work, subscription.whenLeft()]);
        if (subscription.hasLeft) return { outcome: 'not_asked' };
      }
      const maxMembers = connection.app.limits.presenceMaxMembers;
      const known = channel.roster?.known;
      const request = { ...heldOf(subscription), maxMembers, ...(known === undefined ? {} : { known }) };
      return await askAgain(
        () => this.directory.join(request),
        () => subscription.hasLeft,
      );
    } catch (error) {
      return { outcome: 'failed', error };
    }
  }

  /** Takes the subscription out of its channel; a running join tells the directory when it is done. */
  private leave(subscription: Subscription): Promise<void> {
    this.detach(subscription);
    return this.joining.has(subscription) ? Promise.resolve() : this.departures.tell(heldOf(subscription));
  }

  private detach(subscription: Subscription): void {
    const { connection, channel } = subscription;
    subscription.leave();
    channel.subscriptions.delete(subscription);
    if (channel.subscriptions.size === 0) {
      channel.roster = undefined;
      this.topics.idleFrom(channel, this.now());
    }
    if (subscription.hasBeenLive) this.events.emit('unsubscribed', { connection, channel: channel.name.name });
  }
}

/** The client subscribes again to what it is subscribed to. */
function rejoined(present: Subscription, member: Member | undefined): Subscription {
  if (present.member?.userId !== member?.userId) {
    throw new SubscriptionError(present.channel.name.name, 'AuthError', 'Already subscribed as another user');
  }
  present.rejoin();
  return present;
}

function heldOf({ connection: { app, socketId }, channel, member, hasBeenLive }: Subscription): Held {
  const held = { appId: app.id, channel: channel.name, socketId, wishes: wishesOf(app), isUncertain: !hasBeenLive };
  return member === undefined ? held : { ...held, member };
}

function memberLimit({ channel, connection }: Subscription): SubscriptionError {
  const { presenceMaxMembers } = connection.app.limits;
  const reason = `A presence channel may have at most ${presenceMaxMembers} members`;
  return new SubscriptionError(channel.name.name, 'LimitReached', reason);
}
