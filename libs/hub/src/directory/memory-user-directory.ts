import { userTopicOf } from '../broker/broker.js';
import { encodeEnvelope } from '../broker/envelope.js';
import type { MemoryBus } from '../broker/memory-broker.js';
import { UserDirectory, type SignedIn, type UserState, type UserTransition } from './user-directory.js';

/** What several memory directories of one process share when they stand for several nodes. */
export class MemoryUserStore {
  serial = 0;
  /** `app/user` → socket ids. An app id has no `/`. */
  readonly sockets = new Map<string, Set<string>>();
}

const NOTHING: readonly UserTransition[] = [];

/** The users of a node that is complete by itself. */
export class MemoryUserDirectory extends UserDirectory {
  constructor(
    private readonly bus: MemoryBus,
    private readonly store: MemoryUserStore = new MemoryUserStore(),
  ) {
    super();
  }

  attach(): void {
    // Memory forgets nothing, so it never asks.
  }

  signIn({ appId, userId, socketId }: SignedIn): Promise<readonly UserTransition[]> {
    const sockets = this.store.sockets.get(`${appId}/${userId}`);
    if (sockets !== undefined) {
      sockets.add(socketId);
      return Promise.resolve(NOTHING);
    }
    this.store.sockets.set(`${appId}/${userId}`, new Set([socketId]));
    return Promise.resolve([this.transition('user_online', appId, userId)]);
  }

  signOut({ appId, userId, socketId }: SignedIn): Promise<readonly UserTransition[]> {
    const sockets = this.store.sockets.get(`${appId}/${userId}`);
    if (!sockets?.delete(socketId) || sockets.size > 0) return Promise.resolve(NOTHING);
    this.store.sockets.delete(`${appId}/${userId}`);
    return Promise.resolve([this.transition('user_offline', appId, userId)]);
  }

  findUsers(appId: string, userIds: readonly string[]): Promise<ReadonlyMap<string, UserState>> {
    const { serial, sockets } = this.store;
    const states = userIds.map((userId) => {
      return [userId, { isOnline: sockets.has(`${appId}/${userId}`), serial, isProvisional: false }] as const;
    });
    return Promise.resolve(new Map(states));
  }

  private transition(type: UserTransition['type'], appId: string, userId: string): UserTransition {
    const serial = ++this.store.serial;
    this.bus.send(userTopicOf(appId, userId), encodeEnvelope({ type, serial }));
    return { type, appId, userId, serial };
  }
}
