import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import {
  PusherError,
  PusherErrors,
  serverToUserChannel,
  type ChannelName,
  type ClientEventMessage,
  type Member,
  type SignedInUser,
} from '@pogo/pusher-protocol';
import type { App } from './app/app.js';
import { AppProvider, type AppChange } from './app/app-provider.js';
import { Broker } from './broker/broker.js';
import { CommandBus } from './broker/command-bus.js';
import { ClientEvents } from './client-events.js';
import type { Connection } from './connection.js';
import { Connections } from './connections.js';
import { Delivery } from './delivery.js';
import { ChannelDirectory, type ChannelState, type ChannelSummary } from './directory/channel-directory.js';
import { ConnectionDirectory } from './directory/connection-directory.js';
import { Draining } from './draining.js';
import { FanOut } from './fan-out/fan-out.js';
import { HubCounters } from './hub-counters.js';
import { HubEvents } from './hub-events.js';
import { HubOptions } from './hub-options.js';
import type { MessageHandler } from './inbox.js';
import { Membership } from './membership.js';
import { Publisher, type PublishEvent } from './publisher.js';
import { PublishStatus } from './publish-status.js';
import { Registry } from './registry.js';
import type { Socket } from './socket.js';
import { Sweeper } from './sweeper.js';
import { TopicRegistry } from './topic-registry.js';

const SHORTEST_TICK_MS = 10;
const LONGEST_TICK_MS = 100;

/** What a publish may ask for beyond its data. */
export interface PublishOptions {
  /** The connection that does not get the event, on whatever node it is. */
  readonly exceptSocketId?: string;
  /** Refuse data that is not JSON with `invalid_payload_json`. */
  readonly assertJson?: boolean;
}

/** Who is connected, who is subscribed, and delivery. The one object that the edges and embedding applications talk to. */
@Injectable()
export class HubService implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(HubService.name);
  private readonly registry: Registry;
  private readonly sweeper: Sweeper;
  private readonly topics: TopicRegistry;
  private readonly membership: Membership;
  private readonly connections: Connections;
  private readonly publisher: Publisher;
  private readonly clientEvents: ClientEvents;
  private readonly delivery: Delivery;
  private readonly counts = new HubCounters();
  private readonly draining: Draining;

  constructor(
    private readonly options: HubOptions,
    private readonly apps: AppProvider,
    private readonly broker: Broker,
    private readonly commands: CommandBus,
    private readonly directory: ChannelDirectory,
    private readonly connectionDirectory: ConnectionDirectory,
    private readonly events: HubEvents,
  ) {
    const { counts } = this;
    const fanOut = new FanOut(options, counts, events);
    const registry = (this.registry = new Registry((topic) => fanOut.shardOf(topic)));
    this.sweeper = new Sweeper(Math.min(LONGEST_TICK_MS, Math.max(SHORTEST_TICK_MS, options.pingPeriodMs / 10)));
    this.topics = new TopicRegistry(broker, registry, options.topicLingerMs);
    this.membership = new Membership(registry, this.topics, directory, events, options, () => this.sweeper.now());
    const { membership, sweeper } = this;
    this.connections = new Connections(options, counts, registry, membership, connectionDirectory, events, sweeper);
    this.publisher = new Publisher(broker, directory, registry, fanOut, events, options.brokerQueueSize);
    this.clientEvents = new ClientEvents(broker, events);
    this.delivery = new Delivery(registry, fanOut, counts, events);
    this.draining = new Draining(registry);
  }

  onModuleInit(): void {
    this.broker.listen((topic, envelope) => this.delivery.deliver(topic, envelope));
    this.commands.listen(({ appId, userId }) => this.connections.closeUser(appId, userId));
    this.apps.onChange((change) => void this.applyAppChange(change));
    this.sweeper.add((now) => this.topics.sweep(now));
    this.sweeper.add((now) => this.membership.sweep(now));
    this.sweeper.start();
  }

  /** From the first shutdown hook on nobody new is let in. */
  onModuleDestroy(): void {
    this.draining.begin();
  }

  /** True once {@link drain} or the application's shutdown has begun. */
  get isDraining(): boolean {
    return this.draining.hasBegun;
  }

  /** No room for another connection. Sockets that are being closed still take theirs. */
  get isFull(): boolean {
    return this.registry.size + this.connections.closingCount >= this.options.maxConnections;
  }

  /** Connections of all apps on this node. */
  get connectionCount(): number {
    return this.registry.size;
  }

  /** What this node's hot path has counted so far; a copy. */
  counters(): HubCounters {
    return Object.assign(new HubCounters(), this.counts);
  }

  // --- connections ---

  /** Admits a client and greets it. The caller has checked everything that could refuse it. */
  connect(app: App, socket: Socket, handler: MessageHandler): Connection {
    return this.connections.open(app, socket, handler);
  }

  /** The client's socket is closed. */
  disconnect(connection: Connection): void {
    this.connections.closed(connection);
  }

  /** Records the connection's user. @throws PusherError 4009 when it has signed in as another user. */
  signIn(connection: Connection, user: SignedInUser): void {
    if (connection.user !== undefined && connection.user.id !== user.id) {
      throw new PusherError(PusherErrors.signinFailed);
    }
    connection.user = user;
    this.events.emit('userSignedIn', { connection, userId: user.id });
  }

  /** Closes every connection of the user, signed in or present as a member, on all nodes. @throws UnavailableError */
  terminateUser(appId: string, userId: string): Promise<void> {
    return this.commands.send({ type: 'terminate_user', appId, userId });
  }

  /** Connections of the app in the cluster; approximate while connections come and go. @throws UnavailableError */
  countConnections(appId: string): Promise<number> {
    return this.connectionDirectory.count(appId);
  }

  // --- channels ---

  /** Resolves when the client has been acknowledged. @throws SubscriptionError when it is refused. */
  subscribe(connection: Connection, channel: ChannelName, member?: Member): Promise<void> {
    return this.membership.subscribe(connection, channel, member);
  }

  /** Leaves the channel; ignored when the connection is not in it. */
  unsubscribe(connection: Connection, channel: string): Promise<void> {
    return this.membership.unsubscribe(connection, channel);
  }

  /** The channel in the whole cluster. @throws UnavailableError */
  findChannel(
    appId: string,
    channel: string,
    want: { readonly members?: boolean; readonly cached?: boolean } = {},
  ): Promise<ChannelState> {
    return this.directory.findChannel(appId, channel, want);
  }

  /** Occupied channels in the whole cluster. @throws UnavailableError */
  listChannels(appId: string, prefix = ''): Promise<readonly ChannelSummary[]> {
    return this.directory.listChannels(appId, prefix);
  }

  // --- events ---

  /** Publishes one event to one channel. Delivery is at most once, not persisted and not acknowledged. */
  publish(
    appId: string,
    channel: string,
    event: string,
    data: string | Uint8Array,
    options: PublishOptions = {},
  ): Promise<PublishStatus> {
    return this.publishMany(appId, [channel], event, data, options);
  }

  /** Publishes one event to many channels; all of them are checked before anything is sent. */
  async publishMany(
    appId: string,
    channels: string[],
    event: string,
    data: string | Uint8Array,
    options: PublishOptions = {},
  ): Promise<PublishStatus> {
    const app = await this.apps.findById(appId);
    if (app === undefined) return PublishStatus.hub_missing;
    return this.publishAll(app, [{ ...options, channels, event, data }]);
  }

  /** Publishes one event to every connection of a signed-in user that has subscribed to it, as `sendToUser` does. */
  sendToUser(appId: string, userId: string, event: string, data: string | Uint8Array): Promise<PublishStatus> {
    return this.publish(appId, serverToUserChannel(userId), event, data);
  }

  /** Publishes several events of an app in order; all of them are checked before anything is sent. */
  publishAll(app: App, events: readonly PublishEvent[]): Promise<PublishStatus> {
    return app.enabled ? this.publisher.publish(app, events) : Promise.resolve(PublishStatus.hub_missing);
  }

  /**
   * Relays a client event to the channel's other subscribers. A promise means that much is pending: the client's next
   * message waits for it. @throws PusherError 4301 when it is refused.
   */
  clientEvent(connection: Connection, message: ClientEventMessage): Promise<void> | undefined {
    return this.clientEvents.relay(connection, message);
  }

  // --- life cycle ---

  /**
   * Closes established clients with 4200, spread over `withinMs`, and resolves when their departure is recorded, or
   * cannot be for as long again.
   */
  async drain(withinMs: number): Promise<void> {
    await this.draining.closeAll(withinMs);
    await Promise.race([this.membership.settled(), sleep(withinMs, undefined, { ref: false })]);
    this.membership.close();
    // The edge cuts off those that do not answer the closing handshake.
    while (this.connections.closingCount > 0) await sleep(SHORTEST_TICK_MS);
    this.topics.close();
    this.sweeper.stop();
  }

  private async applyAppChange({ appId, change }: AppChange): Promise<void> {
    try {
      if (change === 'removed') this.connections.closeApp(appId, PusherErrors.applicationDoesNotExist);
      if (change === 'disabled') this.connections.closeApp(appId, PusherErrors.applicationDisabled);
      const app = change === 'updated' ? await this.apps.findById(appId) : undefined;
      if (app !== undefined) this.connections.updateApp(app);
    } catch (error) {
      this.logger.error(error);
    }
  }
}
