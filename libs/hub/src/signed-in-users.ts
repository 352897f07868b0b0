import { Logger } from '@nestjs/common';
import { PusherError, PusherErrors, type SignedInUser } from '@pogo/pusher-protocol';
import { askAgain } from './ask-again.js';
import type { Connection } from './connection.js';
import type {
  HeldUser,
  SignedIn,
  UserDirectory,
  UserDirectoryNode,
  UserTransition,
} from './directory/user-directory.js';
import type { HubEvents } from './hub-events.js';
import { UnavailableError } from './unavailable-error.js';

/** Tells the directory which users are signed in on this node. Clients do not wait for it. */
export class SignedInUsers implements UserDirectoryNode {
  private readonly logger = new Logger(SignedInUsers.name);
  private readonly known = new Map<Connection, HeldUser>();
  /** `app/user` → connections here. */
  private readonly perUser = new Map<string, number>();
  private pending = 0;
  private isClosed = false;

  constructor(
    private readonly directory: UserDirectory,
    private readonly events: HubEvents,
  ) {}

  /** What is on its way to the directory. */
  get pendingCount(): number {
    return this.pending;
  }

  signedIn(): Iterable<HeldUser> {
    return this.known.values();
  }

  /** @throws PusherError 4009 when the connection has signed in as another user. */
  signIn(connection: Connection, user: SignedInUser): void {
    // Gone while somebody found out who it is: nobody would sign it out again.
    if (!connection.isOpen) return;
    if (connection.user !== undefined && connection.user.id !== user.id) {
      throw new PusherError(PusherErrors.signinFailed);
    }
    connection.user = user;
    connection.isAuthorized = true;
    if (!this.known.has(connection)) this.add(connection, user.id);
    this.events.emit('userSignedIn', { connection, userId: user.id });
  }

  private add(connection: Connection, userId: string): void {
    const signedIn = { appId: connection.app.id, userId, socketId: connection.socketId };
    this.known.set(connection, { ...signedIn, isUncertain: true });
    this.countUser(signedIn, 1);
    void this.tell(connection, signedIn);
  }

  /** Whether a connection here has signed in as the user. */
  has(appId: string, userId: string): boolean {
    return (this.perUser.get(`${appId}/${userId}`) ?? 0) > 0;
  }

  /** The connection is gone; ignored when it was nobody's. */
  signOut(connection: Connection): void {
    const signedIn = this.known.get(connection);
    this.known.delete(connection);
    if (signedIn !== undefined) this.countUser(signedIn, -1);
    // While the directory is being told, whoever does that finds out.
    if (signedIn?.isUncertain === false) void this.ask(() => this.directory.signOut(signedIn));
  }

  /** Stops telling a directory that does not answer. */
  close(): void {
    this.isClosed = true;
  }

  private countUser({ appId, userId }: SignedIn, change: 1 | -1): void {
    const key = `${appId}/${userId}`;
    const count = (this.perUser.get(key) ?? 0) + change;
    if (count === 0) this.perUser.delete(key);
    else this.perUser.set(key, count);
  }

  private async tell(connection: Connection, signedIn: SignedIn): Promise<void> {
    await this.ask(() => this.directory.signIn(signedIn), connection);
    // Gone meanwhile. Whether the directory has heard of it is unknown when its answer was lost: it leaves either way.
    if (!this.known.has(connection)) await this.ask(() => this.directory.signOut(signedIn));
    else this.known.set(connection, { ...signedIn, isUncertain: false });
  }

  private async ask(question: () => Promise<readonly UserTransition[]>, connection?: Connection): Promise<void> {
    this.pending++;
    try {
      const isOver = () => this.isClosed || (connection !== undefined && !this.known.has(connection));
      for (const { type, ...transition } of await askAgain(question, isOver)) {
        this.events.emit(type === 'user_online' ? 'userOnline' : 'userOffline', transition);
      }
    } catch (error) {
      if (!(error instanceof UnavailableError)) this.logger.error(error);
    } finally {
      this.pending--;
    }
  }
}
