import { createSocketId, PusherErrors, type PusherErrorData } from '@pogo/pusher-protocol';
import type { App } from './app/app.js';
import { AuthorizationDeadlines } from './authorization-deadlines.js';
import type { Handshake } from './auth/handshake.js';
import { Connection, type ConnectionHost, type OutboxWritten } from './connection.js';
import type { ConnectionDirectory } from './directory/connection-directory.js';
import type { HubCounters } from './hub-counters.js';
import type { FrameKind, HubEvents } from './hub-events.js';
import type { HubOptions } from './hub-options.js';
import type { InboxSettings, MessageHandler } from './inbox.js';
import { Liveness } from './liveness.js';
import type { Membership } from './membership.js';
import { Pacer } from './pacer.js';
import { addressBlock } from './rate-limit/client-address.js';
import type { Registry } from './registry.js';
import type { SignedInUsers } from './signed-in-users.js';
import { SlowSockets } from './slow-sockets.js';
import type { Socket } from './socket.js';
import type { Sweeper } from './sweeper.js';
import { UnavailableError } from './unavailable-error.js';
import type { Watchlists } from './watchlists.js';

/** The connections of this node from greeting to goodbye: counted, kept alive, and let go without a trace. */
export class Connections implements ConnectionHost {
  readonly inboxSettings: InboxSettings;
  private readonly liveness: Liveness;
  private readonly slowSockets: SlowSockets;
  private readonly deadlines = new AuthorizationDeadlines();
  private readonly byAddress = new Map<string, number>();

  constructor(
    readonly options: HubOptions,
    readonly counters: HubCounters,
    private readonly registry: Registry,
    private readonly membership: Membership,
    private readonly users: SignedInUsers,
    private readonly watchlists: Watchlists,
    private readonly directory: ConnectionDirectory,
    private readonly events: HubEvents,
    private readonly sweeper: Sweeper,
  ) {
    const { maxInboxMessages: maxMessages, maxInboxBytes: maxBytes } = options;
    this.inboxSettings = { maxMessages, maxBytes, pacer: new Pacer() };
    this.liveness = new Liveness(options, sweeper.tickMs);
    this.slowSockets = new SlowSockets(options.writeWaitMs);
    sweeper.add((now) => this.liveness.sweep(now));
    sweeper.add((now) => this.slowSockets.sweep(now));
    sweeper.add((now) => this.deadlines.sweep(now));
  }

  /** Connections that were told to close and whose sockets are still there. */
  get closingCount(): number {
    return this.slowSockets.closingCount;
  }

  /** Connections of the address, or of all in the same /64. Counted only when there is a limit. */
  countOfAddress(clientIp: string): number {
    return this.byAddress.get(addressBlock(clientIp)) ?? 0;
  }

  /** Asks the cluster; while it does not answer, this node. */
  async isOverQuota(appId: string, maxConnections: number): Promise<boolean> {
    try {
      return (await this.directory.count(appId)) >= maxConnections;
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      return this.registry.countOf(appId) >= maxConnections;
    }
  }

  open(app: App, socket: Socket, handler: MessageHandler, handshake?: Handshake): Connection {
    const connection = new Connection(createSocketId(), app, socket, handler, this, handshake);
    this.registry.addConnection(connection);
    this.countAddress(connection, 1);
    this.liveness.add(connection, this.now());
    this.deadlines.add(connection, this.now());
    this.directory.report(app.id, this.registry.countOf(app.id));
    connection.sendText(
      connection.messages.connectionEstablished(connection.socketId, this.options.activityTimeoutSeconds),
    );
    this.events.emit('connectionOpened', { connection });
    return connection;
  }

  /** The socket is closed. Harmless when repeated. */
  closed(connection: Connection): void {
    this.slowSockets.removeClosing(connection);
    this.remove(connection);
  }

  /** Closes the connections that signed in as the user or are members with that id. */
  closeUser(appId: string, userId: string): void {
    for (const connection of this.registry.connections()) {
      if (connection.app.id === appId && connection.belongsTo(userId)) connection.close(PusherErrors.terminatedByApp);
    }
  }

  closeApp(appId: string, reason: PusherErrorData): void {
    for (const connection of this.registry.connections()) if (connection.app.id === appId) connection.close(reason);
  }

  /** Gives the app's connections its new settings. */
  updateApp(app: App): void {
    for (const connection of this.registry.connections()) if (connection.app.id === app.id) connection.app = app;
    for (const channel of this.registry.allChannels()) if (channel.app.id === app.id) channel.app = app;
  }

  now(): number {
    return this.sweeper.now();
  }

  connectionClosing(connection: Connection): void {
    this.remove(connection);
    this.slowSockets.addClosing(connection);
  }

  connectionBlocked(connection: Connection): void {
    this.slowSockets.addBlocked(connection);
  }

  connectionDrained(connection: Connection): void {
    this.slowSockets.removeBlocked(connection);
  }

  outboxFull(connection: Connection, frames: number, kind: FrameKind): void {
    this.counters.outboxDrops += frames;
    this.events.emit('eventDropped', { appId: connection.app.id, reason: 'outbox_full', kind, count: frames });
  }

  outboxWritten(connection: Connection, written: OutboxWritten): void {
    this.events.emit('outboxWritten', { connection, ...written });
  }

  private remove(connection: Connection): void {
    if (!this.registry.removeConnection(connection)) return;
    this.countAddress(connection, -1);
    connection.handleClose();
    this.liveness.remove(connection);
    this.deadlines.remove(connection);
    this.slowSockets.removeBlocked(connection);
    this.membership.leaveAll(connection);
    this.users.signOut(connection);
    this.watchlists.stop(connection);
    this.directory.report(connection.app.id, this.registry.countOf(connection.app.id));
    this.events.emit('connectionClosed', { connection });
  }

  private countAddress({ handshake: { clientIp } }: Connection, change: 1 | -1): void {
    if (this.options.maxConnectionsPerIp === undefined || clientIp === undefined) return;
    const block = addressBlock(clientIp);
    const count = (this.byAddress.get(block) ?? 0) + change;
    if (count === 0) this.byAddress.delete(block);
    else this.byAddress.set(block, count);
  }
}
