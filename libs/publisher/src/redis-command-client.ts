import { ClientRedis, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import type { RedisAddress } from './publisher-options.js';
import { QuietLogger } from './quiet-logger.js';

const RETRY_DELAY_MS = 500;

/** What is used of ioredis, which Nest loads. */
interface Redis {
  publish(channel: string, text: string): Promise<number>;
  subscribe(channel: string): Promise<unknown>;
  ping(): Promise<unknown>;
  disconnect(): void;
  on(event: 'close', listener: () => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
}

/**
 * Nest's Redis client, with three differences. A command never waits in it: it leaves now or fails, so that none is
 * carried out long after its sender has given it up. It listens for answers once per connection, instead of before and
 * after each command. And a command that cannot leave is the command's failure, where Nest's would end the process by an
 * unhandled rejection.
 */
export class RedisCommandClient extends ClientRedis {
  protected override readonly logger = new QuietLogger();
  declare protected pubClient: Redis | null;
  declare protected subClient: Redis | null;
  /** Channels of answers that are subscribed on this connection. */
  private readonly heard = new Map<string, Promise<unknown>>();
  private readonly patterns: string;
  private isEnded = false;
  /** What the last attempt to connect has failed with. Redis's errors name no secrets. */
  problem: string | undefined;

  /** @param silenceMs without an answer of Redis, after which the connection counts as dead. */
  constructor({ host, port, username, password, tls, prefix, db }: RedisAddress, silenceMs: number) {
    super({
      host,
      port,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      // A name for SNI; an address is none.
      ...(tls ? { tls: /^[\d.]+$|:/.test(host) ? {} : { servername: host } } : {}),
      connectionName: 'pogo-publisher',
      connectTimeout: silenceMs,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      maxRetriesPerRequest: 0,
      retryAttempts: Infinity,
      retryDelay: RETRY_DELAY_MS,
      // Known to ioredis; Nest's copy of its options is an old one.
      ...{ socketTimeout: silenceMs },
    });
    // As the gateways' RedisKeys.pattern: publish and subscribe know no databases.
    this.patterns = `{${prefix}}:p${db}:`;
  }

  override connect(): Promise<unknown> {
    return this.isEnded ? Promise.reject(new Error('the publisher is closed')) : super.connect();
  }

  override close(): Promise<void> {
    this.isEnded = true;
    this.isManuallyClosed = true;
    this.handleClose();
    this.pubClient?.disconnect();
    this.subClient?.disconnect();
    return Promise.resolve();
  }

  /** The name of a pattern on this transport. */
  address(pattern: string): string {
    return this.patterns + pattern;
  }

  /** Answers fail to come: asks both connections whether they live. One that does not is made anew. */
  probe(): void {
    for (const client of [this.pubClient, this.subClient]) client?.ping().catch(() => undefined);
  }

  override async createClient(): Promise<Redis> {
    if (this.isEnded) throw new Error('the publisher is closed');
    const client = (await super.createClient()) as Redis;
    client.on('close', () => this.heard.clear());
    return client;
  }

  override registerErrorListener(client: Redis): void {
    client.on('error', ({ message }) => (this.problem = message));
  }

  protected override publish(packet: ReadPacket, callback: (packet: WritePacket) => unknown): () => void {
    const { id } = this.assignPacketId(packet);
    const forget = () => void this.routingMap.delete(id);
    this.routingMap.set(id, callback);
    this.leave(packet.pattern as string, JSON.stringify(this.serializer.serialize(packet))).catch((error: unknown) => {
      forget();
      callback({ err: error });
    });
    return forget;
  }

  private async leave(channel: string, text: string): Promise<void> {
    await this.hear(this.getReplyPattern(channel));
    if (this.pubClient === null) throw new Error('Redis is not connected');
    await this.pubClient.publish(channel, text);
  }

  private hear(channel: string): Promise<unknown> {
    let done = this.heard.get(channel);
    if (done === undefined) {
      done = this.subClient?.subscribe(channel) ?? Promise.reject(new Error('Redis is not connected'));
      this.heard.set(channel, done);
      done.catch(() => this.heard.delete(channel));
    }
    return done;
  }
}
