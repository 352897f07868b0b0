import type { Member } from '@pogo/pusher-protocol';
import { FIND, JOIN, LEAVE, LIST, PUBLISH_CACHED } from '../redis/redis-bucket-scripts.js';
import { callBucket, NOBODY } from '../redis/redis-bucket-call.js';
import { BUCKETS, channelBucket, type RedisKeys } from '../redis/redis-keys.js';
import type { RedisLink } from '../redis/redis-link.js';
import { RedisScript } from '../redis/redis-script.js';
import type { Entry } from '../redis/redis-restore.js';
import type { RedisSession } from '../redis/redis-session.js';
import {
  ChannelDirectory,
  type CachedEvent,
  type CachedPublish,
  type ChannelState,
  type ChannelSummary,
  type Departure,
  type DirectoryNode,
  type Held,
  type Holding,
  type JoinAnswer,
  type JoinRequest,
  type KnownMembers,
  type Transition,
  type Wishes,
} from './channel-directory.js';

const join = new RedisScript(JOIN);
const leave = new RedisScript(LEAVE);
const find = new RedisScript(FIND);
const list = new RedisScript(LIST);
const publishCached = new RedisScript(PUBLISH_CACHED);

export const CHANNEL_SCRIPTS = [join, leave, find, list];
/** For the link on which publishes leave. */
export const PUBLISH_SCRIPTS = [publishCached];

const CHANNELS_PER_PAGE = 1_000;
/** More departures in one outage are forgotten, and webhooks do not hear of them. */
const MOST_DEPARTED = 65_536;

type CausedReply = [kind: Buffer, serial: Buffer, memberJson: Buffer][];
type JoinReply = [
  isHeldBack: number,
  serial: Buffer,
  members: Buffer[],
  caused: CausedReply,
  cached: CachedReply,
  isRest: number,
];
type CachedReply = [payload: Buffer, ttlMs: number] | null;

/** The directory of a cluster: one script for each question, in the session of this node. */
export class RedisChannelDirectory extends ChannelDirectory {
  /** What has left while Redis could not be told. If it comes back with its data, these say so themselves. */
  private departed: Entry[] = [];

  constructor(
    private readonly session: RedisSession,
    private readonly publishLink: RedisLink,
    private readonly keys: RedisKeys,
  ) {
    super();
  }

  get isAvailable(): boolean {
    return this.session.isReady;
  }

  attach(node: DirectoryNode): void {
    this.session.observe({
      entries: () => entriesOf(node.holdings()),
      departed: () => this.departed,
      heldBack: () => node.heldBack(),
      released: () => node.released(),
      missed: () => {
        this.departed = [];
        node.missed();
      },
    });
  }

  async join(request: JoinRequest): Promise<JoinAnswer> {
    const { appId, channel, known } = request;
    const { bucket, name, socketId, userId, memberJson } = placeOf(request);
    const isCached = channel.isCached ? '1' : '0';
    const args = [name, socketId, userId, memberJson, request.maxMembers, isCached, ...serialAndCount(known)];
    const [word, ...rest] = await this.session.change(bucket, join, args, wantedText(request.wishes));
    if (word === 'FULL') return { outcome: 'member_limit' };
    const [isHeldBack, serial, answered, caused, cached, isRest] = rest as JoinReply;
    const members = answered.map(parseMember);
    return {
      outcome: 'joined',
      serial: Number(serial),
      members: isRest === 1 ? [...(known?.members ?? []), ...members] : members,
      transitions: caused.map((transition) => transitionOf(appId, name, transition)),
      ...cachedOf(cached),
      ...(isHeldBack === 1 ? { isProvisional: true } : {}),
    };
  }

  async leave(departure: Departure): Promise<readonly Transition[]> {
    const { bucket, name, socketId } = placeOf(departure);
    const reply = await this.session.remove(bucket, leave, [name, socketId]);
    if (reply === undefined) return this.remember(departure);
    return (reply[1] as CausedReply).map((transition) => transitionOf(departure.appId, name, transition));
  }

  private remember({ wishes, isUncertain = false, ...holding }: Departure): readonly Transition[] {
    const isTold = wishes?.webhooks && !isUncertain;
    if (isTold && this.departed.length < MOST_DEPARTED) {
      this.departed.push({ ...entryOf({ ...holding, wishes, isUncertain }), hasLeft: true });
    }
    return [];
  }

  async publishCached({ appId, channel, payload, ttlMs, exceptSocketId = '' }: CachedPublish): Promise<void> {
    const bucket = channelBucket(appId, channel);
    const args = [channel, payload, ttlMs, exceptSocketId];
    await callBucket({ link: this.publishLink, keys: this.keys }, bucket, publishCached, NOBODY, args);
  }

  async findChannel(
    appId: string,
    channel: string,
    want: { readonly members?: boolean; readonly cached?: boolean },
  ): Promise<ChannelState> {
    const args = [channel, want.members ? '1' : '0', want.cached ? '1' : '0'];
    const [, ...rest] = await this.session.read(channelBucket(appId, channel), find, args);
    const [isHeldBack, serial, subscriptionCount, userCount, members, cached] = rest as [
      number,
      Buffer,
      number,
      number,
      Buffer[] | null,
      CachedReply,
    ];
    return {
      serial: Number(serial),
      subscriptionCount,
      userCount,
      ...(want.members ? { members: (members ?? []).map(parseMember) } : {}),
      ...cachedOf(cached),
      ...(isHeldBack === 1 ? { isProvisional: true } : {}),
    };
  }

  async listChannels(appId: string, prefix: string): Promise<readonly ChannelSummary[]> {
    const buckets = Array.from({ length: BUCKETS }, (_, bucket) => this.listBucket(`${appId}:${bucket}`, prefix));
    return (await Promise.all(buckets)).flat();
  }

  private async listBucket(bucket: string, prefix: string): Promise<ChannelSummary[]> {
    const summaries: ChannelSummary[] = [];
    for (let after = ''; ;) {
      const [, found] = await this.session.read(bucket, list, [prefix, after, CHANNELS_PER_PAGE]);
      const fields = found as (Buffer | number)[];
      for (let i = 0; i < fields.length; i += 3) {
        const [name, subscriptionCount, userCount] = fields.slice(i, i + 3);
        after = String(name);
        summaries.push({ name: after, subscriptionCount: Number(subscriptionCount), userCount: Number(userCount) });
      }
      if (fields.length < 3 * CHANNELS_PER_PAGE) return summaries;
    }
  }
}

function* entriesOf(holdings: Iterable<Held>): Iterable<Entry> {
  for (const held of holdings) yield entryOf(held);
}

function entryOf(held: Held): Entry {
  return { ...placeOf(held), isUncertain: held.isUncertain, wanted: wantedText(held.wishes) };
}

/** As the scripts know it. */
function wantedText({ counts, webhooks }: Wishes): string {
  return (webhooks ? 'w' : '') + (counts ? 'k' : '');
}

function placeOf({ appId, channel, socketId, member }: Holding): Omit<Entry, 'isUncertain' | 'wanted'> {
  return {
    bucket: channelBucket(appId, channel.name),
    name: channel.name,
    socketId,
    userId: member?.userId ?? '',
    memberJson: member === undefined ? '' : JSON.stringify(member),
  };
}

function serialAndCount(known: KnownMembers | undefined): [serial: number | string, count: number] {
  return known === undefined ? ['', 0] : [known.serial, known.members.length];
}

function parseMember(json: Buffer): Member {
  return JSON.parse(json.toString()) as Member;
}

function transitionOf(appId: string, channel: string, [kind, serial, memberJson]: CausedReply[number]): Transition {
  const type = kind.toString() as Transition['type'];
  const base = { appId, channel, serial: Number(serial) };
  if (type === 'channel_occupied' || type === 'channel_vacated') return { ...base, type };
  return { ...base, type, member: parseMember(memberJson) };
}

function cachedOf(reply: CachedReply): { readonly cached?: CachedEvent } {
  return reply === null ? {} : { cached: { payload: reply[0], expiresInMs: reply[1] } };
}
