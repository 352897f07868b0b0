import { Logger } from '@nestjs/common';
import {
  exceedsBytes,
  MAX_SIGNED_IN_USER_ID_BYTES,
  MAX_WATCHLIST_LENGTH,
  messagesOf,
  PusherErrors,
} from '@pogo/pusher-protocol';
import { askAgain } from './ask-again.js';
import { userTopicOf } from './broker/broker.js';
import { decodeEnvelope } from './broker/envelope.js';
import type { Connection } from './connection.js';
import type { UserDirectory } from './directory/user-directory.js';
import type { SignedInUsers } from './signed-in-users.js';
import type { TopicRegistry } from './topic-registry.js';
import { UnavailableError } from './unavailable-error.js';
import { WatchedUser, type Watcher } from './watched-user.js';

const USERS_PER_READING = 500;

/** Who is online among those that connections here want to know of: told after they sign in, and at every change. */
export class Watchlists {
  private readonly logger = new Logger(Watchlists.name);
  private readonly users = new Map<string, WatchedUser>();
  private readonly watchers = new Map<Connection, Watcher>();
  private round = 0;

  constructor(
    private readonly directory: UserDirectory,
    private readonly topics: TopicRegistry,
    private readonly signedIn: SignedInUsers,
    private readonly now: () => number,
  ) {}

  /**
   * Tells the connection who of `userIds` is online, and from then on who comes and goes. Nobody waits for it: while the
   * directory is away the client hears later. Instead of what it has followed before.
   */
  follow(connection: Connection, userIds: readonly string[]): void {
    this.stop(connection);
    if (!connection.isOpen) return;
    const wanted = new Set(userIds);
    if (wanted.size > MAX_WATCHLIST_LENGTH) connection.sendError(PusherErrors.watchlistLimit);
    const names = [...wanted].slice(0, MAX_WATCHLIST_LENGTH);
    if (names.length > 0) void this.begin(connection, names);
  }

  /** The connection is gone. */
  stop(connection: Connection): void {
    const watcher = this.watchers.get(connection);
    this.watchers.delete(connection);
    for (const user of watcher?.users ?? []) {
      user.watchers.delete(watcher as Watcher);
      if (!user.isWanted) this.topics.idleFrom(user, this.now());
    }
  }

  /** Something was published on a user's topic. */
  deliver(topic: string, bytes: Buffer): void {
    const user = this.users.get(topic);
    const envelope = user && decodeEnvelope(bytes);
    if (envelope?.type !== 'user_online' && envelope?.type !== 'user_offline') return;
    const isOnline = envelope.type === 'user_online';
    if (user !== undefined && (isOnline || !this.isHere(user))) user.learn({ isOnline, serial: envelope.serial });
  }

  /** Changes may have been missed: all users are read again, and compared with what is known. */
  async refresh(): Promise<void> {
    const round = ++this.round;
    const users = [...this.users.values()];
    for (const appId of new Set(users.map((user) => user.appId))) {
      const ofApp = users.filter((user) => user.appId === appId);
      for (let at = 0; at < ofApp.length; at += USERS_PER_READING) {
        await this.read(appId, ofApp.slice(at, at + USERS_PER_READING), round);
        if (round !== this.round) return;
      }
    }
  }

  /** Nobody here wants to know any more, and nothing arrives any more. */
  forget(topic: string): void {
    this.users.delete(topic);
  }

  private async read(appId: string, users: readonly WatchedUser[], round: number): Promise<void> {
    try {
      const states = await askAgain(
        () =>
          this.directory.findUsers(
            appId,
            users.map(({ userId }) => userId),
          ),
        () => round !== this.round,
      );
      if (round !== this.round) return;
      for (const user of users) {
        const state = states.get(user.userId);
        // Who is missing while nodes still have to say who is with them, or is here, is not gone.
        if (state?.isOnline || !(state?.isProvisional || this.isHere(user))) user.learn(state);
      }
    } catch (error) {
      if (!(error instanceof UnavailableError)) this.logger.error(error);
    }
  }

  /** Whoever says that the user has gone has missed that it is here. */
  private isHere({ appId, userId }: WatchedUser): boolean {
    return this.signedIn.has(appId, userId);
  }

  private async begin(connection: Connection, userIds: readonly string[]): Promise<void> {
    const appId = connection.app.id;
    const known = userIds.filter((userId) => canSignIn(userId));
    const watcher: Watcher = { connection, isTold: false, users: known.map((userId) => this.open(appId, userId)) };
    this.watchers.set(connection, watcher);
    for (const user of watcher.users) user.watchers.add(watcher);
    try {
      await Promise.all(watcher.users.map((user) => this.activate(user, watcher)));
      const states = await askAgain(
        () => this.directory.findUsers(appId, known),
        () => !this.isCurrent(watcher),
      );
      if (!this.isCurrent(watcher)) return;
      for (const user of watcher.users) user.learn(states.get(user.userId));
      watcher.isTold = true;
      const online = new Set(watcher.users.filter(({ isOnline }) => isOnline).map(({ userId }) => userId));
      const offline = userIds.filter((userId) => !online.has(userId));
      connection.sendText(messagesOf(connection.app.dialect).watchlistEvents([...online], offline));
    } catch (error) {
      if (!(error instanceof UnavailableError)) this.logger.error(error);
    }
  }

  /** Resolves when the user's transitions arrive here, or the watcher has gone. */
  private async activate(user: WatchedUser, watcher: Watcher): Promise<void> {
    for (let work = this.topics.activate(user); work !== undefined; work = this.topics.activate(user)) {
      await work;
      if (!this.isCurrent(watcher)) return;
    }
  }

  private open(appId: string, userId: string): WatchedUser {
    const topic = userTopicOf(appId, userId);
    let user = this.users.get(topic);
    if (user === undefined) this.users.set(topic, (user = new WatchedUser(appId, userId)));
    return user;
  }

  private isCurrent(watcher: Watcher): boolean {
    return this.watchers.get(watcher.connection) === watcher;
  }
}

/** Nobody else is ever online. */
function canSignIn(userId: string): boolean {
  return userId !== '' && !exceedsBytes(userId, MAX_SIGNED_IN_USER_ID_BYTES);
}
