import type { Rate } from '../app/app.js';
import { CommandBus, type Command } from '../broker/command-bus.js';
import {
  UserDirectory,
  type SignedIn,
  type UserDirectoryNode,
  type UserState,
  type UserTransition,
} from '../directory/user-directory.js';
import { RateLimitStore, type RateLimitAnswer } from '../rate-limit/rate-limit-store.js';
import type { Chaos } from './chaos.js';

/** A command bus that is late and fails; what was lost is asked for again, so handlers see commands twice. */
export class UnreliableCommandBus extends CommandBus {
  constructor(
    private readonly inner: CommandBus,
    private readonly chaos: Chaos,
  ) {
    super();
  }

  listen(listener: (command: Command) => void): void {
    this.inner.listen((command) => void this.chaos.delay().then(() => listener(command)));
  }

  send(command: Command): Promise<void> {
    return this.chaos.disturb(() => this.inner.send(command));
  }
}

/** A rate limit store that is late and fails; a lost answer has taken its token. */
export class UnreliableRateLimitStore extends RateLimitStore {
  constructor(
    private readonly inner: RateLimitStore,
    private readonly chaos: Chaos,
  ) {
    super();
  }

  take(bucket: string, rate: Rate): Promise<RateLimitAnswer> {
    return this.chaos.disturb(() => this.inner.take(bucket, rate));
  }
}

/** A user directory behind a bad network. */
export class UnreliableUserDirectory extends UserDirectory {
  constructor(
    private readonly inner: UserDirectory,
    private readonly chaos: Chaos,
  ) {
    super();
  }

  attach(node: UserDirectoryNode): void {
    this.inner.attach(node);
  }

  signIn(signedIn: SignedIn): Promise<readonly UserTransition[]> {
    return this.chaos.disturb(() => this.inner.signIn(signedIn));
  }

  signOut(signedIn: SignedIn): Promise<readonly UserTransition[]> {
    return this.chaos.disturb(() => this.inner.signOut(signedIn));
  }

  findUsers(appId: string, userIds: readonly string[]): Promise<ReadonlyMap<string, UserState>> {
    return this.chaos.disturb(() => this.inner.findUsers(appId, userIds));
  }
}
