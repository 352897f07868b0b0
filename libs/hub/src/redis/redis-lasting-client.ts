import { Redis, type Callback, type RedisOptions } from 'ioredis';

export type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

/** Parts of the silence after which a connection is given up, each with a look at what has come. */
const LOOKS = 5;

/** What ioredis has for its `socketTimeout`. */
interface Waiting {
  readonly stream: Redis['stream'];
  readonly commandQueue: { readonly length: number };
  socketTimeoutTimer: NodeJS.Timeout | undefined;
}

/**
 * ioredis's client, which ends only when it is told to. A failover that the Sentinels announce while it asks one of them
 * where the primary is would end it for good: its connector takes the announcement for having been told.
 *
 * And its `socketTimeout` is about Redis alone: ioredis's own ends a connection as well whose answer is there, or about to
 * come, when this process, or the whole machine, has stood still.
 */
export class LastingRedis extends Redis {
  private isLeft = false;

  constructor(options: ClientOptions) {
    super(options);
    const { socketTimeout: silenceMs } = options;
    if (silenceMs !== undefined) {
      Object.assign(this, { setSocketTimeout: () => expectAnswer(this as unknown as Waiting, silenceMs) });
    }
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

/** Ends the connection after so much silence. The time in which nothing could be heard counts as one of its parts at most. */
function expectAnswer(redis: Waiting, silenceMs: number): void {
  const { stream } = redis;
  const look = (left: number) => {
    redis.socketTimeoutTimer = setTimeout(() => {
      if (left > 1) return look(left - 1);
      redis.socketTimeoutTimer = undefined;
      stream.destroy(new Error(`Redis has not answered for ${silenceMs} ms`));
    }, silenceMs / LOOKS);
  };
  look(LOOKS);
  // Behind ioredis's own listener, which takes what was answered out of the queue.
  stream.once('data', () => {
    clearTimeout(redis.socketTimeoutTimer);
    redis.socketTimeoutTimer = undefined;
    if (redis.commandQueue.length > 0) expectAnswer(redis, silenceMs);
  });
}
