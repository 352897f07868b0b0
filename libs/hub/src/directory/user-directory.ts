/** A connection that has signed in as a user. */
export interface SignedIn {
  readonly appId: string;
  readonly userId: string;
  readonly socketId: string;
}

/** What a node says of its signed-in connections. */
export interface HeldUser extends SignedIn {
  /** The directory is being told: nobody knows whether it has heard. */
  readonly isUncertain: boolean;
}

/** A change that happened exactly once in the cluster; listed in the answer of the call that caused it. */
export interface UserTransition {
  readonly type: 'user_online' | 'user_offline';
  readonly appId: string;
  readonly userId: string;
  /** Grows with every transition of the user, and never starts again. */
  readonly serial: number;
}

/** A user as the whole cluster sees it. */
export interface UserState {
  readonly isOnline: boolean;
  /** Transitions up to it are in this state already. */
  readonly serial: number;
  /** True while nodes still have to say who is signed in with them: an absence may be none. */
  readonly isProvisional: boolean;
}

/** What a directory asks of its node; see `DirectoryNode`. */
export interface UserDirectoryNode {
  /** Every connection here that has signed in and is still there. */
  signedIn(): Iterable<HeldUser>;
}

/**
 * The cluster's truth on which users are online: those with at least one connection that has signed in, anywhere. The
 * step that changes it also publishes `user_online` / `user_offline`, with the serial, on the user's topic. Every
 * call is idempotent and may be repeated after an {@link UnavailableError}. Contract suite: `userDirectoryContract`.
 */
export abstract class UserDirectory {
  abstract attach(node: UserDirectoryNode): void;
  abstract signIn(signedIn: SignedIn): Promise<readonly UserTransition[]>;
  /** Nothing happens when the connection has not signed in. */
  abstract signOut(signedIn: SignedIn): Promise<readonly UserTransition[]>;
  /** All of `userIds`. */
  abstract findUsers(appId: string, userIds: readonly string[]): Promise<ReadonlyMap<string, UserState>>;
}
