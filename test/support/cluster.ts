import { buildOnce } from './build.js';
import { GatewayProcess } from './gateway-process.js';
import { RedisServer } from './redis.js';
import { TcpProxy } from './tcp-proxy.js';

export interface ClusterOptions {
  /** How many; three by default. */
  readonly nodes?: number;
  /** Settings of every node by their short name; `redis_url` is given. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly redisArgs?: readonly string[];
  /** What connects the nodes instead of a single Redis. It is stopped with them. */
  readonly servers?: RedisServers;
  /** Every node has a proxy of its own between itself and Redis, which is a single one. */
  readonly throughProxy?: boolean;
}

/** More than one Redis server. */
export interface RedisServers {
  /** Of the gateways that use them. */
  readonly settings: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Gateways in processes of their own, and the Redis between them. */
export class Cluster {
  private readonly proxies: TcpProxy[] = [];
  private readonly nodes: GatewayProcess[] = [];

  private constructor(
    private readonly server: RedisServer | undefined,
    private readonly options: ClusterOptions,
  ) {}

  /** Resolves when every node is ready. The first one of a run builds: give the hook `START_TIMEOUT_MS`. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const { nodes = 3, redisArgs = [] } = options;
    await buildOnce();
    const server = options.servers === undefined ? await RedisServer.start({ args: redisArgs }) : undefined;
    const cluster = new Cluster(server, options);
    const started = await Promise.allSettled(Array.from({ length: nodes }, (_, index) => cluster.startNode(index)));
    const failed = started.find(({ status }) => status === 'rejected');
    if (failed === undefined) return cluster;
    await cluster.stop();
    throw (failed as PromiseRejectedResult).reason;
  }

  /** The single one. */
  get redis(): RedisServer {
    if (this.server === undefined) throw new Error('there is more than one Redis');
    return this.server;
  }

  /** @param index from 0. */
  node(index: number): GatewayProcess {
    const node = this.nodes[index];
    if (node === undefined) throw new Error(`there is no node ${index}`);
    return node;
  }

  /** What is between a node and Redis. */
  proxy(index: number): TcpProxy {
    const proxy = this.proxies[index];
    if (proxy === undefined) throw new Error(`node ${index} has no proxy: ask for throughProxy`);
    return proxy;
  }

  /**
   * Puts a new process, on another port, in the place of a node, killing that one first if need be; resolves when the
   * new one is ready.
   */
  async restartNode(index: number): Promise<GatewayProcess> {
    await this.node(index).kill();
    return this.startNode(index);
  }

  /** As a deployment does: a node ends by itself, its clients go elsewhere, and a new one takes its place. */
  async replaceNode(index: number): Promise<GatewayProcess> {
    const exitCode = await this.node(index).stop();
    if (exitCode !== 0) throw new Error(`node ${index} has ended with ${exitCode}:\n${this.node(index).output}`);
    return this.startNode(index);
  }

  /** Ends everything, whatever state it is in. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
    // Their sockets are closed by now: this is for clients that dialed somewhere else.
    await Promise.all(this.nodes.map((node) => node.stop()));
    await Promise.all(this.proxies.map((proxy) => proxy.stop()));
    await (this.server ?? this.options.servers)?.stop();
  }

  private async startNode(index: number): Promise<GatewayProcess> {
    const redis = this.options.servers?.settings ?? { redis_url: this.redis.url };
    const through = this.options.throughProxy === true ? { redis_url: await this.proxied(redis, index) } : {};
    const node = await GatewayProcess.start({ settings: { ...redis, ...through, ...this.options.settings } });
    this.nodes[index] = node;
    return node;
  }

  private async proxied({ redis_url: url = '' }: Readonly<Record<string, string>>, index: number): Promise<string> {
    const parts = new URL(url);
    const proxy = (this.proxies[index] ??= await TcpProxy.start(Number(parts.port)));
    parts.port = String(proxy.port);
    return parts.href;
  }
}
