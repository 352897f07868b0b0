import type { ChannelName } from '@pogo/pusher-protocol';
import type { App } from './app/app.js';
import { topicOf } from './broker/broker.js';
import { Channel } from './channel.js';
import type { Connection } from './connection.js';

/** What a node holds. */
export interface HubSize {
  /** App id → connections; apps without any are not there. */
  readonly connectionsPerApp: ReadonlyMap<string, number>;
  /** Channels with subscribers here. */
  readonly channels: number;
  readonly subscriptions: number;
}

/** Who is connected to this node and which channels have subscribers here. Plain maps, always synchronous. */
export class Registry {
  constructor(private readonly shardOf: (topic: string) => number) {}

  private readonly bySocketId = new Map<string, Connection>();
  private readonly perApp = new Map<string, number>();
  private readonly channels = new Map<string, Channel>();

  get size(): number {
    return this.bySocketId.size;
  }

  connections(): IterableIterator<Connection> {
    return this.bySocketId.values();
  }

  findConnection(socketId: string): Connection | undefined {
    return this.bySocketId.get(socketId);
  }

  countOf(appId: string): number {
    return this.perApp.get(appId) ?? 0;
  }

  holds(): HubSize {
    let channels = 0;
    let subscriptions = 0;
    for (const { subscriptions: own } of this.channels.values()) {
      if (own.size === 0) continue;
      channels++;
      subscriptions += own.size;
    }
    return { connectionsPerApp: new Map(this.perApp), channels, subscriptions };
  }

  addConnection(connection: Connection): void {
    this.bySocketId.set(connection.socketId, connection);
    this.perApp.set(connection.app.id, this.countOf(connection.app.id) + 1);
  }

  /** False when it was removed before. */
  removeConnection(connection: Connection): boolean {
    if (!this.bySocketId.delete(connection.socketId)) return false;
    const left = this.countOf(connection.app.id) - 1;
    if (left === 0) this.perApp.delete(connection.app.id);
    else this.perApp.set(connection.app.id, left);
    return true;
  }

  openChannel(app: App, name: ChannelName): Channel {
    const topic = topicOf(app.id, name.name);
    let channel = this.channels.get(topic);
    if (channel === undefined) this.channels.set(topic, (channel = new Channel(app, name, this.shardOf)));
    return channel;
  }

  findChannel(topic: string): Channel | undefined {
    return this.channels.get(topic);
  }

  allChannels(): IterableIterator<Channel> {
    return this.channels.values();
  }

  removeChannel(topic: string): void {
    this.channels.delete(topic);
  }
}
