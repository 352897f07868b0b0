import { ClientRedis, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import type { RedisAddress, RedisPlace } from './publisher-options.js';
import { QuietLogger } from './quiet-logger.js';

const RETRY_DELAY_MS = 500;

/** What is used of ioredis, which Nest loads. */
interface Redis {
  publish(channel: string, text: string): Promise<number>;
  subscribe(channel: string): Promise<unknown>;
  ping(): Promise<unknown>;
  disconnect(): void;
  /** Read at each attempt to connect. */
  readonly options: { host?: string; port?: number };
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
  /** Of a cluster; any of them relays patterns to all. */
  private readonly servers: readonly RedisPlace[];
  private readonly hasTls: boolean;
  private isEnded = false;
  /** What the last attempt to connect has failed with. Redis's errors name no secrets. */
  problem: string | undefined;

  /** @param silenceMs without an answer of Redis, after which the connection counts as dead. */
  constructor(address: RedisAddress, silenceMs: number) {
    const { username, password, tls, prefix, db, clusterNodes } = address;
    super({
      ...whereabouts(address),
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
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
    this.servers = clusterNodes;
    this.hasTls = tls;
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
    client.on('close', () => {
      this.heard.clear();
      this.turnToNext(client);
    });
    return client;
  }

  /** The server is gone, or silent: the next attempt is for another one. */
  private turnToNext({ options }: Redis): void {
    if (this.servers.length === 0) return;
    const at = this.servers.findIndex(({ host, port }) => host === options.host && port === options.port);
    const next = this.servers[(at + 1) % this.servers.length] as RedisPlace;
    Object.assign(options, next, tlsOf(this.hasTls, next.host));
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

function whereabouts({
  host,
  port,
  clusterNodes,
  sentinels,
  sentinelName,
  sentinelPassword,
  tls,
}: RedisAddress): object {
  if (sentinels.length === 0) {
    const place = clusterNodes[0] ?? { host, port };
    return { ...place, ...tlsOf(tls, place.host) };
  }
  return {
    sentinels,
    name: sentinelName,
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(tls ? { tls: {}, enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
    sentinelRetryStrategy: () => RETRY_DELAY_MS,
    // A primary that the Sentinels have given up may still answer us.
    failoverDetector: true,
  };
}

/** A name for SNI; an address is none. */
function tlsOf(tls: boolean, host: string): object {
  return tls ? { tls: /^[\d.]+$|:/.test(host) ? {} : { servername: host } } : {};
}
