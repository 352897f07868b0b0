import type { Redis } from 'ioredis';

/** What this node wants to hear of Redis, and hears again after every interruption. */
export abstract class RedisSubscriptions {
  /** Something may have been missed from here on. */
  onInterrupted: () => void = () => undefined;
  /** Everything that is wanted is in force. */
  onResumed: () => void = () => undefined;
  /** Everything that was wanted when the last interruption ended is in force. */
  abstract readonly isInForce: boolean;

  /** The one client that hears it all, if there is one: for whoever unwraps Nest's transport. */
  get client(): Redis | undefined {
    return undefined;
  }

  /** Connects, if it has not. */
  abstract connect(): void;

  /** Resolves when the subscription is in force, however long that takes. */
  abstract subscribe(name: string): Promise<void>;

  /** Resolves when nothing more will be heard of it. */
  abstract unsubscribe(name: string): Promise<void>;

  /** Whether a message with that name is for somebody here. */
  abstract has(name: string): boolean;

  abstract close(): void;
}
