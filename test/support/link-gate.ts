import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A gateway has one of each. */
export type LinkName = 'publish' | 'subscribe' | 'directory';

interface Link {
  readonly gateway: Socket;
  readonly redis: Socket;
  name: string | undefined;
}

/** Stands between one gateway and Redis, and lets what Redis says on one of the connections wait: the others overtake it. */
export class LinkGate {
  private readonly links = new Set<Link>();

  private constructor(
    private readonly server: Server,
    private readonly targetPort: number,
  ) {
    server.on('connection', (socket) => this.onConnection(socket));
  }

  /** @param targetPort of 127.0.0.1. */
  static async start(targetPort: number): Promise<LinkGate> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new LinkGate(server, targetPort);
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Runs `body` while nothing that Redis says on that connection arrives. */
  async without(name: LinkName, body: () => Promise<void>): Promise<void> {
    const links = [...this.links].filter((link) => link.name === name);
    if (links.length !== 1) throw new Error(`there are ${links.length} connections named ${name}`);
    for (const { redis } of links) redis.pause();
    try {
      await body();
    } finally {
      for (const { redis } of links) redis.resume();
    }
  }

  async stop(): Promise<void> {
    for (const { gateway, redis } of this.links) for (const socket of [gateway, redis]) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private onConnection(gateway: Socket): void {
    const link: Link = { gateway, redis: connect(this.targetPort, '127.0.0.1'), name: undefined };
    const { redis } = link;
    this.links.add(link);
    gateway.on('data', (chunk) => {
      link.name ??= /\bpogo-(\w+)/.exec(chunk.toString('latin1'))?.[1];
      redis.write(chunk);
    });
    redis.on('data', (chunk) => gateway.write(chunk));
    for (const [socket, other] of [
      [gateway, redis],
      [redis, gateway],
    ] as const) {
      socket.setNoDelay();
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.links.delete(link);
        other.destroy();
      });
    }
  }
}
