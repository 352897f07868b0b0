import type { Member } from '@pogo/pusher-protocol';
import { topicOf } from '../broker/broker.js';
import { encodeEnvelope } from '../broker/envelope.js';
import type { MemoryBus } from '../broker/memory-broker.js';
import { MemoryCounts } from './memory-counts.js';
import {
  ChannelDirectory,
  type CachedEvent,
  type CachedPublish,
  type ChannelState,
  type ChannelSummary,
  type Holding,
  type JoinAnswer,
  type JoinRequest,
  type Transition,
} from './channel-directory.js';

interface StoredMember {
  readonly member: Member;
  readonly socketIds: Set<string>;
}

/** What is known of one channel. It exists while somebody is in it or its last event is kept. */
interface StoredChannel {
  /** Socket id → user id. */
  readonly sockets: Map<string, string | undefined>;
  readonly members: Map<string, StoredMember>;
  cached?: { readonly payload: Buffer; readonly expiresAt: number } | undefined;
}

/** What several memory directories of one process share when they stand for several nodes. */
export class MemoryDirectoryStore {
  /** One counter for all channels: a channel that was empty for a while must not start again at an old serial. */
  serial = 0;
  readonly apps = new Map<string, Map<string, StoredChannel>>();
  /** Apps that wish to be told counts. */
  readonly counted = new Set<string>();
  /** Channels with a cached event, least recently published first, so that expired ones are found at the front. */
  readonly cachedChannels = new Map<string, { readonly appId: string; readonly channel: string }>();
}

const NOBODY: readonly Member[] = [];
const NOTHING: readonly Transition[] = [];

/** The directory of a node that is complete by itself. */
export class MemoryChannelDirectory extends ChannelDirectory {
  readonly isAvailable = true;
  private readonly counts: MemoryCounts;

  constructor(
    private readonly bus: MemoryBus,
    private readonly store: MemoryDirectoryStore = new MemoryDirectoryStore(),
    private readonly now: () => number = Date.now,
  ) {
    super();
    const tell = (topic: string, count: number) =>
      bus.send(topic, encodeEnvelope({ type: 'subscription_count', count, serial: ++store.serial }));
    this.counts = new MemoryCounts((topic) => this.countOf(topic), tell, now);
  }

  attach(): void {
    // Memory forgets nothing, so it never asks.
  }

  join(request: JoinRequest): Promise<JoinAnswer> {
    const stored = this.openChannel(request.appId, request.channel.name);
    const { member } = request;
    if (member !== undefined && stored.members.size >= request.maxMembers && !stored.members.has(member.userId)) {
      this.dropIfUnused(request.appId, request.channel.name, stored);
      return Promise.resolve({ outcome: 'member_limit' });
    }
    if (request.wishes.counts) this.store.counted.add(request.appId);
    else this.store.counted.delete(request.appId);
    const isNew = !stored.sockets.has(request.socketId);
    const transitions = this.add(stored, request);
    this.announce(transitions);
    if (isNew) this.count(request);
    const cached = this.cachedEvent(stored);
    const { serial } = this.store;
    const joined = { outcome: 'joined', serial, members: membersOf(stored), transitions } as const;
    return Promise.resolve(cached === undefined ? joined : { ...joined, cached });
  }

  leave(holding: Holding): Promise<readonly Transition[]> {
    const { appId, channel, socketId } = holding;
    const wasThere = this.store.apps.get(appId)?.get(channel.name)?.sockets.has(socketId) ?? false;
    const transitions = this.remove(appId, channel.name, socketId);
    this.announce(transitions);
    if (wasThere) this.count(holding);
    return Promise.resolve(transitions);
  }

  publishCached({ appId, channel, payload, ttlMs, exceptSocketId }: CachedPublish): Promise<void> {
    const serial = ++this.store.serial;
    this.openChannel(appId, channel).cached = { payload: ownCopy(payload), expiresAt: this.now() + ttlMs };
    this.store.cachedChannels.delete(topicOf(appId, channel));
    this.store.cachedChannels.set(topicOf(appId, channel), { appId, channel });
    this.dropExpired();
    const except = exceptSocketId === undefined ? {} : { exceptSocketId };
    this.bus.send(topicOf(appId, channel), encodeEnvelope({ type: 'event', payload, serial, ...except }));
    return Promise.resolve();
  }

  findChannel(
    appId: string,
    channel: string,
    want: { readonly members?: boolean; readonly cached?: boolean },
  ): Promise<ChannelState> {
    const { serial } = this.store;
    const stored = this.store.apps.get(appId)?.get(channel);
    if (stored === undefined) {
      return Promise.resolve({ serial, subscriptionCount: 0, userCount: 0, ...(want.members ? { members: [] } : {}) });
    }
    const cached = want.cached ? this.cachedEvent(stored) : undefined;
    return Promise.resolve({
      serial,
      subscriptionCount: stored.sockets.size,
      userCount: stored.members.size,
      ...(want.members ? { members: membersOf(stored) } : {}),
      ...(cached === undefined ? {} : { cached }),
    });
  }

  listChannels(appId: string, prefix: string): Promise<readonly ChannelSummary[]> {
    const summaries: ChannelSummary[] = [];
    for (const [name, stored] of this.store.apps.get(appId) ?? []) {
      if (stored.sockets.size > 0 && name.startsWith(prefix)) {
        summaries.push({ name, subscriptionCount: stored.sockets.size, userCount: stored.members.size });
      }
    }
    return Promise.resolve(summaries);
  }

  private add(stored: StoredChannel, { appId, channel, socketId, member }: Holding): readonly Transition[] {
    if (stored.sockets.has(socketId)) return NOTHING;
    const isFirst = stored.sockets.size === 0;
    stored.sockets.set(socketId, member?.userId);
    if (!isFirst && member === undefined) return NOTHING;
    const transitions: Transition[] = [];
    if (isFirst) transitions.push(this.transition(appId, channel.name, { type: 'channel_occupied' }));
    if (member === undefined) return transitions;
    const present = stored.members.get(member.userId);
    if (present === undefined) {
      stored.members.set(member.userId, { member, socketIds: new Set([socketId]) });
      transitions.push(this.transition(appId, channel.name, { type: 'member_added', member }));
    } else {
      present.socketIds.add(socketId);
    }
    return transitions;
  }

  private remove(appId: string, channel: string, socketId: string): readonly Transition[] {
    const stored = this.store.apps.get(appId)?.get(channel);
    if (!stored?.sockets.has(socketId)) return NOTHING;
    const userId = stored.sockets.get(socketId);
    stored.sockets.delete(socketId);
    if (stored.sockets.size > 0 && userId === undefined) return NOTHING;
    const transitions: Transition[] = [];
    const present = userId === undefined ? undefined : stored.members.get(userId);
    if (present?.socketIds.delete(socketId) && present.socketIds.size === 0) {
      stored.members.delete(present.member.userId);
      transitions.push(this.transition(appId, channel, { type: 'member_removed', member: present.member }));
    }
    if (stored.sockets.size === 0) transitions.push(this.transition(appId, channel, { type: 'channel_vacated' }));
    this.dropIfUnused(appId, channel, stored);
    return transitions;
  }

  private transition<Change>(appId: string, channel: string, change: Change) {
    return { appId, channel, serial: ++this.store.serial, ...change };
  }

  private announce(transitions: readonly Transition[]): void {
    for (const transition of transitions) {
      if (transition.type === 'member_added' || transition.type === 'member_removed') {
        this.bus.send(topicOf(transition.appId, transition.channel), encodeEnvelope(transition));
      }
    }
  }

  private count({ appId, channel }: Holding): void {
    const isCounted = channel.kind !== 'presence' && channel.kind !== 'user' && this.store.counted.has(appId);
    if (isCounted) this.counts.changed(topicOf(appId, channel.name));
  }

  private countOf(topic: string): number {
    const slash = topic.indexOf('/');
    return this.store.apps.get(topic.slice(0, slash))?.get(topic.slice(slash + 1))?.sockets.size ?? 0;
  }

  private cachedEvent(stored: StoredChannel): CachedEvent | undefined {
    if (stored.cached === undefined) return undefined;
    const expiresInMs = stored.cached.expiresAt - this.now();
    if (expiresInMs > 0) return { payload: stored.cached.payload, expiresInMs };
    stored.cached = undefined;
    return undefined;
  }

  /** Nobody asks for an event of a channel without visitors, so each publish lets the expired ones go. */
  private dropExpired(): void {
    for (const [topic, { appId, channel }] of this.store.cachedChannels) {
      const stored = this.store.apps.get(appId)?.get(channel);
      if (stored !== undefined && this.cachedEvent(stored) !== undefined) return;
      this.store.cachedChannels.delete(topic);
      if (stored !== undefined) this.dropIfUnused(appId, channel, stored);
    }
  }

  private openChannel(appId: string, channel: string): StoredChannel {
    let channels = this.store.apps.get(appId);
    if (channels === undefined) this.store.apps.set(appId, (channels = new Map<string, StoredChannel>()));
    let stored = channels.get(channel);
    if (stored === undefined) channels.set(channel, (stored = { sockets: new Map(), members: new Map() }));
    return stored;
  }

  private dropIfUnused(appId: string, channel: string, stored: StoredChannel): void {
    if (stored.sockets.size > 0 || stored.cached !== undefined) return;
    const channels = this.store.apps.get(appId);
    if (channels?.delete(channel) && channels.size === 0) this.store.apps.delete(appId);
  }
}

function membersOf(stored: StoredChannel): readonly Member[] {
  if (stored.members.size === 0) return NOBODY;
  return Array.from(stored.members.values(), ({ member }) => member);
}

/** Small Buffers share a slab of 8 KiB, and one that is kept keeps all of it. */
function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
