import { UserDirectory, type SignedIn, type UserTransition } from './user-directory.js';

/** What several memory directories of one process share when they stand for several nodes. */
export class MemoryUserStore {
  serial = 0;
  /** `app/user` → socket ids. An app id has no `/`. */
  readonly sockets = new Map<string, Set<string>>();
}

const NOTHING: readonly UserTransition[] = [];

/** The users of a node that is complete by itself. */
export class MemoryUserDirectory extends UserDirectory {
  constructor(private readonly store: MemoryUserStore = new MemoryUserStore()) {
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
    return Promise.resolve([{ type: 'user_online', appId, userId, serial: ++this.store.serial }]);
  }

  signOut({ appId, userId, socketId }: SignedIn): Promise<readonly UserTransition[]> {
    const sockets = this.store.sockets.get(`${appId}/${userId}`);
    if (!sockets?.delete(socketId) || sockets.size > 0) return Promise.resolve(NOTHING);
    this.store.sockets.delete(`${appId}/${userId}`);
    return Promise.resolve([{ type: 'user_offline', appId, userId, serial: ++this.store.serial }]);
  }

  findOnline(appId: string, userIds: readonly string[]): Promise<ReadonlySet<string>> {
    return Promise.resolve(new Set(userIds.filter((userId) => this.store.sockets.has(`${appId}/${userId}`))));
  }
}
