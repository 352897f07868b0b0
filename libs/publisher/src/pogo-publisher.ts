import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import {
  createCommandNonce,
  PublishStatus,
  publishStatusName,
  serverToUserChannel,
  signCommand,
  type CommandPattern,
} from '@pogo/pusher-protocol';
import { firstValueFrom, timeout, TimeoutError, type Observable } from 'rxjs';
import { PogoCommandError } from './pogo-command-error.js';
import { POGO_PUBLISHER_OPTIONS, redisAddress, type PogoPublisherOptions } from './publisher-options.js';
import { RedisCommandClient } from './redis-command-client.js';
import { TcpCommandClient } from './tcp-command-client.js';

/** Text as it is, UTF-8 as text, anything else as its JSON. */
export type EventData = string | Uint8Array | number | boolean | object | null;

/** What a publish may ask for beyond its data. */
export interface PogoPublishOptions {
  /** The connection that does not get the event, on whatever node it is. */
  readonly exceptSocketId?: string;
  /** Refuse data that is not JSON with `invalid_payload_json`. */
  readonly assertJson?: boolean;
}

/** No answer came. It may have been carried out all the same. */
const NO_ANSWER = Symbol('no answer');

/**
 * Publishes through the gateways, over the transport of `PogoPublisherModule`. Delivery is at most once: a command is
 * never sent twice, and `broker_failed` may have been carried out when its answer was lost. Publishes that are awaited
 * one after the other arrive in that order.
 */
@Injectable()
export class PogoPublisher implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(PogoPublisher.name);
  private readonly client: RedisCommandClient | TcpCommandClient;
  private readonly secret: string;
  private readonly timeoutMs: number;
  private readonly maxInFlight: number;
  private inFlight = 0;
  private isClosed = false;

  /** @throws TypeError for options that cannot be meant. */
  constructor(@Inject(POGO_PUBLISHER_OPTIONS) options: PogoPublisherOptions) {
    const { secret, timeoutMs = 5_000, maxInFlight = 1_024, redis, tcp } = options;
    if (secret === '') throw new TypeError("secret must be the gateway's command_secret");
    this.secret = secret;
    this.timeoutMs = timeoutMs;
    this.maxInFlight = maxInFlight;
    if (redis !== undefined) this.client = new RedisCommandClient(redisAddress(redis), timeoutMs);
    else if (tcp !== undefined) this.client = new TcpCommandClient(tcp);
    else throw new TypeError('redis or tcp must say where the gateways listen');
  }

  /** Connects before the first command does; a gateway or Redis that is away is no reason not to start. */
  onApplicationBootstrap(): void {
    const status: Observable<string> = this.client.status;
    status.subscribe((now) => this.logStatus(now));
    this.client.connect().catch(() => undefined);
  }

  /** What is not answered by then ends as `broker_failed`. */
  async onApplicationShutdown(): Promise<void> {
    this.isClosed = true;
    await this.client.close();
  }

  /**
   * Publishes one event to one channel. Resolves to `broker_failed` also when no gateway has answered in time.
   * @throws PogoCommandError when the gateway refuses, because the secret is another one for example.
   */
  async publish(
    appId: string,
    channel: string,
    event: string,
    data: EventData,
    options?: PogoPublishOptions,
  ): Promise<PublishStatus> {
    return this.askForStatus('pogo.publish', { app_id: appId, channel, ...eventFields(event, data, options) });
  }

  /** Publishes one event to many channels; all of them are checked before anything is sent. As {@link publish}. */
  async publishMany(
    appId: string,
    channels: readonly string[],
    event: string,
    data: EventData,
    options?: PogoPublishOptions,
  ): Promise<PublishStatus> {
    return this.askForStatus('pogo.publish_many', { app_id: appId, channels, ...eventFields(event, data, options) });
  }

  /** Publishes one event to every connection of a signed-in user. As {@link publish}. */
  sendToUser(appId: string, userId: string, event: string, data: EventData): Promise<PublishStatus> {
    return this.publish(appId, serverToUserChannel(userId), event, data);
  }

  /**
   * Closes every connection of the user, signed in or present as a member, on all nodes.
   * @throws PogoCommandError, also when no gateway has answered (`status` is `broker_failed` then: ask again).
   */
  async terminateUser(appId: string, userId: string): Promise<void> {
    const answer = await this.ask('pogo.terminate_user', { app_id: appId, user_id: userId });
    if (answer === NO_ANSWER) throw new PogoCommandError('no gateway has answered', PublishStatus.broker_failed);
  }

  private async askForStatus(pattern: CommandPattern, fields: object): Promise<PublishStatus> {
    try {
      const answer = await this.ask(pattern, fields);
      return answer === NO_ANSWER ? PublishStatus.broker_failed : statusIn(answer);
    } catch (error) {
      if (error instanceof PogoCommandError && error.status !== undefined) return error.status;
      throw error;
    }
  }

  /** @throws PogoCommandError */
  private async ask(pattern: CommandPattern, fields: object): Promise<unknown> {
    if (this.inFlight >= this.maxInFlight)
      throw new PogoCommandError(`${this.maxInFlight} commands wait for answers`, PublishStatus.broker_queue_full);
    const body = JSON.stringify(fields);
    const unsigned = { body, timestamp: Math.floor(Date.now() / 1_000), nonce: createCommandNonce() };
    const command = signCommand(this.secret, pattern, unsigned);
    this.inFlight++;
    try {
      return await firstValueFrom(
        this.client.send(this.client.address(pattern), command).pipe(timeout(this.timeoutMs)),
      );
    } catch (error) {
      if (error instanceof TimeoutError) this.client.probe();
      const refusal = refusalIn(error);
      if (refusal !== undefined) throw refusal;
      return NO_ANSWER;
    } finally {
      this.inFlight--;
    }
  }

  private logStatus(status: string): void {
    if (this.isClosed) return;
    const { problem } = this.client;
    this.client.problem = undefined;
    const why = problem === undefined ? '' : ` (${problem})`;
    if (status === 'connected') this.logger.log('connected');
    else this.logger.warn(`not connected${why}: publishes end as broker_failed until it is`);
  }
}

function eventFields(event: string, data: EventData, { exceptSocketId, assertJson }: PogoPublishOptions = {}): object {
  return { event, data: textOf(data), socket_id: exceptSocketId, assert_json: assertJson };
}

function textOf(data: EventData): string {
  if (typeof data === 'string') return data;
  if (data instanceof Uint8Array) return new TextDecoder().decode(data);
  return JSON.stringify(data);
}

/** @throws PogoCommandError */
function statusIn(answer: unknown): PublishStatus {
  const status = typeof answer === 'object' && answer !== null ? (answer as { status?: unknown }).status : undefined;
  if (isStatus(status)) return status;
  throw new PogoCommandError('the answer has no publish status that is known here');
}

/** What a gateway answers as an error; anything else is the transport's. */
function refusalIn(error: unknown): PogoCommandError | undefined {
  if (typeof error !== 'object' || error === null || error instanceof Error) return undefined;
  const { error: sentence, status } = error as { readonly error?: unknown; readonly status?: unknown };
  if (typeof sentence !== 'string') return undefined;
  return new PogoCommandError(sentence, isStatus(status) ? status : undefined);
}

function isStatus(value: unknown): value is PublishStatus {
  return typeof value === 'number' && publishStatusName(value as PublishStatus) !== undefined;
}
