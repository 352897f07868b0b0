import { ClientRedis } from '@nestjs/microservices';
import type { Redis } from 'ioredis';
import { lastValueFrom } from 'rxjs';
import type { RedisKeys } from '../redis/redis-keys.js';
import { UnavailableError } from '../unavailable-error.js';
import { CommandBus, type Command } from './command-bus.js';

/** What nodes tell each other: Nest's name of the pattern. */
export const COMMAND_PATTERN = 'command';

/** Nest's client on the connection that publishes leave by, instead of two of its own. */
class SharedClientRedis extends ClientRedis {
  constructor(publisher: Pick<Redis, 'publish'>) {
    super({});
    this.pubClient = publisher as Redis;
  }

  override connect(): Promise<void> {
    return Promise.resolve();
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Commands as events of @nestjs/microservices; `RedisCommandController` hears them. */
export class RedisCommandBus extends CommandBus {
  private readonly client: ClientRedis;
  private listener: (command: Command) => void = () => undefined;

  constructor(
    publisher: Pick<Redis, 'publish'>,
    private readonly keys: RedisKeys,
  ) {
    super();
    this.client = new SharedClientRedis(publisher);
  }

  listen(listener: (command: Command) => void): void {
    this.listener = listener;
  }

  async send(command: Command): Promise<void> {
    try {
      await lastValueFrom(this.client.emit(this.keys.pattern(COMMAND_PATTERN), command), { defaultValue: undefined });
    } catch (error) {
      throw new UnavailableError(error instanceof Error ? error.message : String(error), 'maybe_done');
    }
  }

  /** A command that arrived. Whatever else is published on the pattern is ignored. */
  receive(command: unknown): void {
    if (isCommand(command)) this.listener(command);
  }
}

/** Types end at the process: a newer release may send what this one does not know. */
function isCommand(value: unknown): value is Command {
  if (typeof value !== 'object' || value === null) return false;
  const { type, appId, userId } = value as Record<string, unknown>;
  return type === 'terminate_user' && typeof appId === 'string' && typeof userId === 'string';
}
