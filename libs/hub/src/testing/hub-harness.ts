import { parseChannelName, type ChannelName, type ClientMessage, type Member } from '@pogo/pusher-protocol';
import { completeApp, type App, type AppSettings } from '../app/app.js';
import { ConfigAppProvider } from '../app/config-app-provider.js';
import { MemoryBroker, MemoryBus } from '../broker/memory-broker.js';
import type { Command } from '../broker/command-bus.js';
import { MemoryCommandBus } from '../broker/memory-command-bus.js';
import type { Connection } from '../connection.js';
import { MemoryChannelDirectory, MemoryDirectoryStore } from '../directory/memory-channel-directory.js';
import { MemoryConnectionDirectory } from '../directory/memory-connection-directory.js';
import { MemoryUserDirectory, MemoryUserStore } from '../directory/memory-user-directory.js';
import { HubEvents } from '../hub-events.js';
import { HubOptions } from '../hub-options.js';
import { HubService } from '../hub.service.js';
import type { MessageHandler } from '../inbox.js';
import { Socket } from '../socket.js';
import { Chaos } from './chaos.js';
import { eventually } from './test-api.js';
import { UnreliableBroker } from './unreliable-broker.js';
import { UnreliableChannelDirectory } from './unreliable-channel-directory.js';
import { UnreliableUserDirectory } from './unreliable-ports.js';

/** A socket that remembers what was written and can be told to block. */
export class FakeSocket extends Socket {
  isOpen = true;
  takesDeflated = false;
  bytesRead = 0;
  /** Answer of the next writes: false = the kernel takes no more. */
  accepts = true;
  isPaused = false;
  pings = 0;
  /** System calls that wrote: a corked group is one. */
  writes = 0;
  /** What was handed to `write`, as it was. */
  readonly chunks: Buffer[] = [];
  /** Called when the peer has answered the closing handshake. */
  onClosed: () => void = () => undefined;
  closed: { readonly code: number; readonly reason: string } | undefined;
  private readonly texts: string[] = [];
  private corks = 0;
  private hasWritten = false;

  /** Texts of the frames received so far, in order. */
  get received(): readonly string[] {
    return this.texts;
  }

  get events(): { event: string; channel?: string; data?: unknown }[] {
    return this.texts.map((text) => JSON.parse(text) as { event: string });
  }

  /** Names of the events received after the greeting. */
  get names(): string[] {
    return this.events.slice(1).map(({ event }) => event);
  }

  write(bytes: Buffer): boolean {
    this.chunks.push(bytes);
    for (let at = 0; at < bytes.length;) {
      const short = bytes.readUInt8(at + 1);
      const [start, length] =
        short < 126
          ? [at + 2, short]
          : short === 126
            ? [at + 4, bytes.readUInt16BE(at + 2)]
            : [at + 10, Number(bytes.readBigUInt64BE(at + 2))];
      this.texts.push(bytes.toString('utf8', start, start + length));
      at = start + length;
    }
    if (this.corks === 0) this.writes++;
    else this.hasWritten = true;
    return this.accepts;
  }

  cork(): void {
    this.corks++;
  }

  uncork(): void {
    if (--this.corks > 0 || !this.hasWritten) return;
    this.hasWritten = false;
    this.writes++;
  }

  ping(): void {
    this.pings++;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  close(code: number, reason: string): void {
    this.isOpen = false;
    this.closed = { code, reason };
    setImmediate(() => this.onClosed());
  }
}

export interface FakeClient {
  readonly node: TestNode;
  readonly socket: FakeSocket;
  readonly connection: Connection;
}

/** One node of a test cluster. */
export interface TestNode {
  readonly hub: HubService;
  readonly events: HubEvents;
  readonly chaos: Chaos;
  connect(handler?: MessageHandler): FakeClient;
}

export interface TestClusterOptions {
  readonly nodes?: number;
  /** With a seed, broker and directory delay, reorder and fail their calls. */
  readonly seed?: number;
  readonly app?: Partial<AppSettings>;
  readonly options?: Partial<HubOptions>;
}

const NO_HANDLER: MessageHandler = () => undefined;

/** Several hubs over one memory: what a cluster is, in one process. */
export class TestCluster {
  readonly app: App;
  readonly apps: ConfigAppProvider;
  readonly nodes: readonly TestNode[];
  readonly directory: MemoryChannelDirectory;

  constructor({ nodes = 1, seed, app = {}, options = {} }: TestClusterOptions = {}) {
    this.app = completeApp({ id: 'app', key: 'key', secret: 'secret', ...app });
    this.apps = new ConfigAppProvider([this.app]);
    const bus = new MemoryBus();
    const store = new MemoryDirectoryStore();
    const commands = new Set<(command: Command) => void>();
    const counts = new Set<ReadonlyMap<string, number>>();
    const users = new MemoryUserStore();
    this.directory = new MemoryChannelDirectory(bus, store);
    this.nodes = Array.from({ length: nodes }, (_, n) => {
      const chaos = new Chaos({ seed: (seed ?? 0) * 100 + n, failureRate: seed === undefined ? 0 : 0.2 });
      const broker = new MemoryBroker(bus);
      const directory = new MemoryChannelDirectory(bus, store);
      const userDirectory = new MemoryUserDirectory(bus, users);
      const events = new HubEvents();
      const hub = new HubService(
        new HubOptions(options),
        this.apps,
        seed === undefined ? broker : new UnreliableBroker(broker, chaos),
        new MemoryCommandBus(commands),
        seed === undefined ? directory : new UnreliableChannelDirectory(directory, chaos),
        new MemoryConnectionDirectory(counts),
        seed === undefined ? userDirectory : new UnreliableUserDirectory(userDirectory, chaos),
        events,
      );
      hub.onModuleInit();
      const node: TestNode = {
        hub,
        events,
        chaos,
        connect: (handler = NO_HANDLER) => connect(node, this.app, handler),
      };
      return node;
    });
  }

  node(index: number): TestNode {
    const node = this.nodes[index];
    if (node === undefined) throw new RangeError(`there is no node ${index}`);
    return node;
  }

  async close(): Promise<void> {
    await Promise.all(
      this.nodes.map(async ({ hub, chaos }) => {
        chaos.isDown = false;
        hub.onModuleDestroy();
        await hub.drain(0);
      }),
    );
  }
}

function connect(node: TestNode, app: App, handler: MessageHandler): FakeClient {
  const socket = new FakeSocket();
  const connection = node.hub.connect(app, socket, handler);
  socket.onClosed = () => node.hub.disconnect(connection);
  return { node, socket, connection };
}

/** Subscribes and resolves when the client has been acknowledged. */
export function subscribe({ node, connection }: FakeClient, channel: string, member?: Member): Promise<void> {
  return node.hub.subscribe(connection, channelName(channel), member);
}

/** The client goes away: what the edge does when a socket closes. */
export function hangUp({ node, socket, connection }: FakeClient): void {
  socket.isOpen = false;
  node.hub.disconnect(connection);
}

export function channelName(name: string): ChannelName {
  return parseChannelName(name, 200) as ChannelName;
}

export function subscribeMessage(channel: string): ClientMessage {
  return { event: 'pusher:subscribe', channel };
}

/** Resolves when `client` has received `count` events named `event`. */
export function receives(client: FakeClient, event: string, count = 1): Promise<void> {
  return eventually(() => client.socket.names.filter((name) => name === event).length >= count);
}

/** Resolves when this turn of the event loop is over: what was published in it has been written, or a slice of it. */
export async function endOfTurn(): Promise<void> {
  // A tick runs when all promises that can go on have done so; nothing is left that could still publish.
  await new Promise((resolve) => process.nextTick(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}
