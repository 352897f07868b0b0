import type { ChannelName, Member } from '@pogo/pusher-protocol';

/** One connection's place in a channel. Joining and leaving name the same three things. */
export interface Holding {
  readonly appId: string;
  readonly channel: ChannelName;
  readonly socketId: string;
  /** Present exactly on presence channels. */
  readonly member?: Member;
}

/** What an app wants to be told beyond what every client hears. */
export interface Wishes {
  /** `subscription_count`, for clients or webhooks. */
  readonly counts: boolean;
  /** Transitions, for webhooks. */
  readonly webhooks: boolean;
}

export interface JoinRequest extends Holding {
  readonly wishes: Wishes;
  /** Distinct users a presence channel may have; somebody who is a member already never counts against it. */
  readonly maxMembers: number;
  /** What the caller has of the members: then only the others need to be answered. */
  readonly known?: KnownMembers;
}

/** All members of a channel, as they were at a serial. */
export interface KnownMembers {
  readonly serial: number;
  readonly members: readonly Member[];
}

/** The last event of a cache channel. */
export interface CachedEvent {
  /** UTF-8 text of the WebSocket message as it was sent. */
  readonly payload: Buffer;
  readonly expiresInMs: number;
}

export interface Joined {
  readonly outcome: 'joined';
  /** The state the rest of the answer shows: transitions and cached events up to it are in it already. */
  readonly serial: number;
  /**
   * On presence channels all members of the cluster, the joiner included; a user's first `userInfoJson` stays. The
   * directory of a cluster answers those that are `known` from there.
   */
  readonly members: readonly Member[];
  /** On cache channels the last event, unless there is none. */
  readonly cached?: CachedEvent;
  readonly transitions: readonly Transition[];
  /** True while nodes still have to say what they hold, after the cluster's state was lost: members may be missing. */
  readonly isProvisional?: boolean;
}

export type JoinAnswer = Joined | { readonly outcome: 'member_limit' };

/**
 * A change that happened exactly once in the cluster. The answer to a call lists those that this very call caused; a
 * call that is repeated after a lost answer lists none, because the first one did the work.
 */
export type Transition = {
  readonly appId: string;
  readonly channel: string;
  /** Grows with every transition, cached event and told number of the channel, on all nodes alike, and never starts again. */
  readonly serial: number;
} & (
  | { readonly type: 'channel_occupied' | 'channel_vacated' }
  | { readonly type: 'member_added' | 'member_removed'; readonly member: Member }
);

export interface CachedPublish {
  readonly appId: string;
  readonly channel: string;
  readonly payload: Buffer;
  readonly ttlMs: number;
  readonly exceptSocketId?: string;
}

/** A channel as the whole cluster sees it, in one atomic read. */
export interface ChannelState {
  /** Transitions, cached events and told numbers up to it are in this state already. */
  readonly serial: number;
  /** Connections in the channel. 0 = not occupied. */
  readonly subscriptionCount: number;
  /** Distinct users; 0 on channels that are not presence channels. */
  readonly userCount: number;
  /** In the order in which they joined; only when asked for. */
  readonly members?: readonly Member[];
  /** Only when asked for and there is one. */
  readonly cached?: CachedEvent;
  /** As in {@link Joined}. */
  readonly isProvisional?: boolean;
}

export interface ChannelSummary {
  readonly name: string;
  readonly subscriptionCount: number;
  readonly userCount: number;
}

/** What a node no longer holds. */
export interface Departure extends Holding {
  readonly wishes?: Wishes;
  /** Its join has had no answer. */
  readonly isUncertain?: boolean;
}

/** What a node says that it holds. */
export interface Held extends Holding {
  readonly wishes: Wishes;
  /** Its join has had no answer: nobody knows whether the directory has it. */
  readonly isUncertain: boolean;
}

/** What a directory asks of its node, and tells it. */
export interface DirectoryNode {
  /**
   * Every subscription here that is in force or waits for its answer. Asked for when the directory's store may have
   * lost what it knew of this node, or the others have taken it for dead.
   */
  holdings(): Iterable<Held>;
  /** From now on no transition is announced, because the store is incomplete. */
  heldBack(): void;
  /** Transitions are announced again. Those in between must be found by reading. */
  released(): void;
  /** This node was out of it for a while: transitions may have been missed. */
  missed(): void;
}

/**
 * The cluster's truth on which connections are in which channels. Questions are atomic: the caller acts on the answer
 * and never reads, decides and writes.
 *
 * The step that changes the state also publishes `member_added` / `member_removed` on the channel's broker topic, with
 * the serial, so no removal can overtake an addition. So it does with `subscription_count`, for apps that wish it, on
 * channels that are not presence channels: at once up to 100 connections, above that at most once in 5 s, and the last
 * number in any case. Every call but `publishCached` is idempotent and may be repeated
 * after an {@link UnavailableError} until it resolves. Calls that run at the same time may take effect in any order.
 * An implementation whose store can forget restores what its node holds by itself, before it answers anything else.
 * Contract suite: `channelDirectoryContract`.
 */
export abstract class ChannelDirectory {
  /** False while its store is out of reach. */
  abstract readonly isAvailable: boolean;

  /** The one node it speaks for. Set once, before the first call. */
  abstract attach(node: DirectoryNode): void;

  /** Adds the connection and answers what it must know. Joining twice with the same member is joining once. */
  abstract join(request: JoinRequest): Promise<JoinAnswer>;

  /** Removes the connection; nothing happens when it is not there. Resolves to the transitions that it caused. */
  abstract leave(departure: Departure): Promise<readonly Transition[]>;

  /**
   * Remembers the event as the channel's last one and publishes it on the channel's topic, as one step. Like any publish
   * it must not be repeated when it may have been done.
   */
  abstract publishCached(publish: CachedPublish): Promise<void>;

  abstract findChannel(
    appId: string,
    channel: string,
    want: { readonly members?: boolean; readonly cached?: boolean },
  ): Promise<ChannelState>;

  /** Occupied channels whose name starts with `prefix`. Not a snapshot: channels may change while it is read. */
  abstract listChannels(appId: string, prefix: string): Promise<readonly ChannelSummary[]>;
}
