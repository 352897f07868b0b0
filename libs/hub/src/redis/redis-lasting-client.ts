import { Redis, type Callback, type RedisOptions } from 'ioredis';

export type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

/**
 * ioredis's client, which ends only when it is told to. A failover that the Sentinels announce while it asks one of them
 * where the primary is would end it for good: its connector takes the announcement for having been told.
 */
export class LastingRedis extends Redis {
  private isLeft = false;

  constructor(options: ClientOptions) {
    super(options);
    this.on('end', () => {
      if (!this.isLeft) this.connect().catch(() => undefined);
    });
  }

  override disconnect(reconnect = false): void {
    this.isLeft ||= !reconnect;
    super.disconnect(reconnect);
  }

  override quit(callback?: Callback<'OK'>): Promise<'OK'> {
    this.isLeft = true;
    return super.quit(callback);
  }

  /** Another one of these. ioredis's type depends on an option that none of ours has. */
  override duplicate(override: Partial<ClientOptions> = {}): never {
    return new LastingRedis({ ...this.options, ...override }) as never;
  }
}
