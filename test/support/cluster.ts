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
  /** Every node has a proxy of its own between itself and Redis. */
  readonly throughProxy?: boolean;
}

/** Gateways in processes of their own, and the Redis between them. */
export class Cluster {
  private readonly proxies: TcpProxy[] = [];
  private readonly nodes: GatewayProcess[] = [];

  private constructor(
    readonly redis: RedisServer,
    private readonly options: ClusterOptions,
  ) {}

  /** Resolves when every node is ready. The first one of a run builds: give the hook `START_TIMEOUT_MS`. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const { nodes = 3, redisArgs = [] } = options;
    await buildOnce();
    const cluster = new Cluster(await RedisServer.start({ args: redisArgs }), options);
    const started = await Promise.allSettled(Array.from({ length: nodes }, (_, index) => cluster.startNode(index)));
    const failed = started.find(({ status }) => status === 'rejected');
    if (failed === undefined) return cluster;
    await cluster.stop();
    throw (failed as PromiseRejectedResult).reason;
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

  /** Ends everything, whatever state it is in. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
    // Their sockets are closed by now: this is for clients that dialed somewhere else.
    await Promise.all(this.nodes.map((node) => node.stop()));
    await Promise.all(this.proxies.map((proxy) => proxy.stop()));
    await this.redis.stop();
  }

  private async startNode(index: number): Promise<GatewayProcess> {
    const { settings = {}, throughProxy = false } = this.options;
    const url = new URL(this.redis.url);
    if (throughProxy) {
      const proxy = (this.proxies[index] ??= await TcpProxy.start(this.redis.port));
      url.port = String(proxy.port);
    }
    const node = await GatewayProcess.start({ settings: { redis_url: url.href, ...settings } });
    this.nodes[index] = node;
    return node;
  }
}
