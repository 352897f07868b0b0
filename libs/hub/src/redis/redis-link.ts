import type { RedisScript } from './redis-script.js';

export type RedisArgument = string | number | Buffer;

/**
 * The way of commands to Redis: one server, or the many of a cluster. Commands of one turn of the event loop leave
 * together, those of one bucket in the order in which they were asked for. What may have been done is never sent again.
 */
export abstract class RedisLink {
  /** Commands can be sent, wherever their keys are, and scripts are known. */
  onOpen: () => void = () => undefined;
  /** What was unanswered has failed, and what Redis knew may be lost. */
  onLost: () => void = () => undefined;
  abstract readonly isOpen: boolean;

  /** One for each server that has keys. */
  abstract readonly servers: readonly RedisLink[];

  /** Connects, now or later: who must know listens for {@link onOpen}. */
  abstract connect(): void;

  /** Something is out of step: what is unanswered fails, and everything begins anew. */
  abstract reset(): void;

  abstract close(): Promise<void>;

  /** @param args the key first. @throws UnavailableError; the reply's texts are Buffers. */
  abstract run(command: string, args: readonly RedisArgument[]): Promise<unknown>;

  /** @param key one of those that the script touches; all of them have its hash tag. @throws UnavailableError */
  abstract runScript(script: RedisScript, key: string, args: readonly RedisArgument[]): Promise<unknown>;
}
