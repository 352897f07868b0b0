import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import {
  serverToUserChannel,
  type ChannelName,
  type ClientEventMessage,
  type Member,
  type SignedInUser,
} from '@pogo/pusher-protocol';
import type { App } from './app/app.js';
import { AppChanges } from './app-changes.js';
import { AppProvider } from './app/app-provider.js';
import type { Handshake } from './auth/handshake.js';
import { Broker } from './broker/broker.js';
import { CommandBus } from './broker/command-bus.js';
import type { Connection } from './connection.js';
import { ChannelDirectory, type ChannelState, type ChannelSummary } from './directory/channel-directory.js';
import { ConnectionDirectory } from './directory/connection-directory.js';
import { UserDirectory } from './directory/user-directory.js';
import { HubCounters } from './hub-counters.js';
import { HubEvents } from './hub-events.js';
import { healthOf, type HubHealth } from './hub-health.js';
import { HubOptions } from './hub-options.js';
import { HubParts } from './hub-parts.js';
import type { MessageHandler } from './inbox.js';
import type { HubSize } from './registry.js';
import type { PublishEvent, PublishOptions } from './publisher.js';
import { PublishStatus } from './publish-status.js';
import type { Socket } from './socket.js';
import { UnavailableError } from './unavailable-error.js';

/** Who is connected, who is subscribed, and delivery. The one object that the edges and embedding applications talk to. */
@Injectable()
export class HubService implements OnModuleInit, OnModuleDestroy {
  private readonly parts: HubParts;

  constructor(
    private readonly options: HubOptions,
    private readonly apps: AppProvider,
    private readonly broker: Broker,
    private readonly commands: CommandBus,
    private readonly directory: ChannelDirectory,
    private readonly connectionDirectory: ConnectionDirectory,
    private readonly userDirectory: UserDirectory,
    events: HubEvents,
  ) {
    this.parts = new HubParts(options, { broker, directory, connectionDirectory, userDirectory }, events);
  }

  onModuleInit(): void {
    const { rosters, membership, delivery, users, connections, sweeper } = this.parts;
    this.broker.attach({
      message: (topic, envelope) => delivery.deliver(topic, envelope),
      interrupted: () => rosters.interrupted(),
      resumed: () => rosters.resumed(),
    });
    this.directory.attach({
      holdings: () => membership.holdings(),
      heldBack: () => rosters.heldBack(),
      released: () => rosters.released(),
      missed: () => rosters.missed(),
    });
    this.userDirectory.attach(users);
    this.commands.listen(({ appId, userId }) => connections.closeUser(appId, userId));
    new AppChanges(this.apps, connections).listen();
    sweeper.start();
  }

  /** From the first shutdown hook on nobody new is let in. */
  onModuleDestroy(): void {
    this.parts.draining.begin();
  }

  /** True once {@link drain} or the application's shutdown has begun. */
  get isDraining(): boolean {
    return this.parts.draining.hasBegun;
  }

  /** Whether this process serves, whatever becomes of others. */
  get health(): HubHealth {
    return this.isDraining ? 'shutting_down' : healthOf(this.parts.sweeper);
  }

  /** False while publishes and subscriptions have to wait for what connects the nodes. */
  get isReady(): boolean {
    return this.broker.isAvailable && this.directory.isAvailable;
  }

  /** No room for another connection. Sockets that are being closed still take theirs. */
  get isFull(): boolean {
    return this.parts.registry.size + this.parts.connections.closingCount >= this.options.maxConnections;
  }

  /** The client's address has as many connections as one may have on this node. */
  isFullFor(clientIp: string | undefined): boolean {
    const { maxConnectionsPerIp } = this.options;
    if (maxConnectionsPerIp === undefined || clientIp === undefined) return false;
    return this.parts.connections.countOfAddress(clientIp) >= maxConnectionsPerIp;
  }

  /** Connections of all apps on this node. */
  get connectionCount(): number {
    return this.parts.registry.size;
  }

  /** What this node's hot path has counted so far; a copy. */
  counters(): HubCounters {
    return Object.assign(new HubCounters(), this.parts.counts);
  }

  /** What this node holds now, counted when it is asked for: a walk over its channels. */
  size(): HubSize {
    return this.parts.registry.holds();
  }

  // --- connections ---

  /** Admits a client and greets it. The caller has checked everything that could refuse it. */
  connect(app: App, socket: Socket, handler: MessageHandler, handshake?: Handshake): Connection {
    return this.parts.connections.open(app, socket, handler, handshake);
  }

  /** The client's socket is closed. */
  disconnect(connection: Connection): void {
    this.parts.connections.closed(connection);
  }

  /** Records the connection's user. @throws PusherError 4009 when it has signed in as another user. */
  signIn(connection: Connection, user: SignedInUser): void {
    this.parts.users.signIn(connection, user);
  }

  /** Tells a signed-in connection which of `userIds` are online, and from then on who comes and goes. */
  follow(connection: Connection, userIds: readonly string[]): void {
    this.parts.watchlists.follow(connection, userIds);
  }

  /** Closes every connection of the user, signed in or present as a member, on all nodes. @throws UnavailableError */
  terminateUser(appId: string, userId: string): Promise<void> {
    return this.commands.send({ type: 'terminate_user', appId, userId });
  }

  /** Connections of the app in the cluster; approximate while connections come and go. @throws UnavailableError */
  countConnections(appId: string): Promise<number> {
    return this.connectionDirectory.count(appId);
  }

  /** Whether the app has `maxConnections` already. While the others cannot be asked, this node's own count. */
  isOverQuota(appId: string, maxConnections: number): Promise<boolean> {
    return this.parts.connections.isOverQuota(appId, maxConnections);
  }

  // --- channels ---

  /** Resolves when the client has been acknowledged. @throws SubscriptionError when it is refused. */
  subscribe(connection: Connection, channel: ChannelName, member?: Member): Promise<void> {
    return this.parts.membership.subscribe(connection, channel, member);
  }

  /** Leaves the channel; ignored when the connection is not in it. */
  unsubscribe(connection: Connection, channel: string): Promise<void> {
    return this.parts.membership.unsubscribe(connection, channel);
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
    let app: App | undefined;
    try {
      app = await this.apps.findById(appId);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      return PublishStatus.broker_failed;
    }
    if (app === undefined) return PublishStatus.hub_missing;
    return this.publishAll(app, [{ ...options, channels, event, data }]);
  }

  /** Publishes one event to every connection of a signed-in user that has subscribed to it, as `sendToUser` does. */
  sendToUser(appId: string, userId: string, event: string, data: string | Uint8Array): Promise<PublishStatus> {
    return this.publish(appId, serverToUserChannel(userId), event, data);
  }

  /** Publishes several events of an app in order; all of them are checked before anything is sent. */
  publishAll(app: App, events: readonly PublishEvent[]): Promise<PublishStatus> {
    return app.enabled ? this.parts.publisher.publish(app, events) : Promise.resolve(PublishStatus.hub_missing);
  }

  /**
   * Relays a client event to the channel's other subscribers. A promise means that much is pending: the client's next
   * message waits for it. @throws PusherError 4301 when it is refused.
   */
  clientEvent(connection: Connection, message: ClientEventMessage): Promise<void> | undefined {
    return this.parts.clientEvents.relay(connection, message);
  }

  /** Those of `userIds` that have signed in on some connection in the cluster. @throws UnavailableError */
  async findOnline(appId: string, userIds: readonly string[]): Promise<ReadonlySet<string>> {
    const states = await this.userDirectory.findUsers(appId, userIds);
    return new Set(userIds.filter((userId) => states.get(userId)?.isOnline));
  }

  // --- life cycle ---

  /**
   * Closes established clients with 4200, spread over `withinMs`, and resolves when their departure is recorded, or
   * cannot be for as long again.
   */
  async drain(withinMs: number): Promise<void> {
    const { draining, topics, sweeper } = this.parts;
    await draining.run(withinMs);
    topics.close();
    sweeper.stop();
  }
}
