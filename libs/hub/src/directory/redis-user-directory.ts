import { JOIN, LEAVE, ONLINE } from '../redis/redis-bucket-scripts.js';
import { userBucket } from '../redis/redis-keys.js';
import { RedisScript } from '../redis/redis-script.js';
import type { Entry } from '../redis/redis-restore.js';
import type { RedisSession } from '../redis/redis-session.js';
import {
  UserDirectory,
  type HeldUser,
  type SignedIn,
  type UserDirectoryNode,
  type UserState,
  type UserTransition,
} from './user-directory.js';

const join = new RedisScript(JOIN);
const leave = new RedisScript(LEAVE);
const online = new RedisScript(ONLINE);

export const USER_SCRIPTS = [online];

type CausedReply = [kind: Buffer, serial: Buffer, memberJson: Buffer][];

/** Users are kept as channels are, in buckets of their own: online is occupied. */
export class RedisUserDirectory extends UserDirectory {
  constructor(private readonly session: RedisSession) {
    super();
  }

  attach(node: UserDirectoryNode): void {
    this.session.observe({ entries: () => entriesOf(node.signedIn()) });
  }

  async signIn(signedIn: SignedIn): Promise<readonly UserTransition[]> {
    const { bucket, name, socketId } = placeOf(signedIn);
    const [, , , , caused] = await this.session.change(bucket, join, [name, socketId, '', '', 0, '0', '', 0]);
    return transitionsOf(signedIn, caused as CausedReply);
  }

  async signOut(signedIn: SignedIn): Promise<readonly UserTransition[]> {
    const { bucket, name, socketId } = placeOf(signedIn);
    const reply = await this.session.remove(bucket, leave, [name, socketId]);
    return reply === undefined ? [] : transitionsOf(signedIn, reply[1] as CausedReply);
  }

  async findUsers(appId: string, userIds: readonly string[]): Promise<ReadonlyMap<string, UserState>> {
    const byBucket = new Map<string, string[]>();
    for (const userId of userIds) {
      const bucket = userBucket(appId, userId);
      byBucket.set(bucket, [...(byBucket.get(bucket) ?? []), userId]);
    }
    const found = await Promise.all(
      Array.from(byBucket, async ([bucket, ids]) => {
        const [, isHeldBack, serial, flags] = await this.session.read(bucket, online, ids);
        const common = { serial: Number(serial), isProvisional: isHeldBack === 1 };
        return ids.map((id, i) => [id, { isOnline: (flags as number[])[i] === 1, ...common }] as const);
      }),
    );
    return new Map(found.flat());
  }
}

function* entriesOf(signedIn: Iterable<HeldUser>): Iterable<Entry> {
  for (const each of signedIn) yield { ...placeOf(each), isUncertain: each.isUncertain, wanted: '' };
}

function placeOf({ appId, userId, socketId }: SignedIn): Omit<Entry, 'isUncertain' | 'wanted'> {
  return { bucket: userBucket(appId, userId), name: userId, socketId, userId: '', memberJson: '' };
}

function transitionsOf({ appId, userId }: SignedIn, caused: CausedReply): UserTransition[] {
  return caused.map(([kind, serial]) => ({
    type: kind.toString() as UserTransition['type'],
    appId,
    userId,
    serial: Number(serial),
  }));
}
