import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** One connection of a gateway, and the one to Redis that belongs to it. */
class Link {
  /** An answer is missing, or still to come: whatever came next would be taken for it. */
  isOutOfStep = false;
  private readonly redis: Socket;
  private isHeld = false;
  private loss: Loss | undefined;

  constructor(
    private readonly gateway: Socket,
    targetPort: number,
    private readonly traffic: Traffic,
  ) {
    this.redis = connect(targetPort, '127.0.0.1');
    this.redis.on('data', (chunk) => this.onAnswer(chunk));
    gateway.on('data', (chunk) => this.onRequest(chunk));
    this.endTogether(gateway, this.redis);
    this.endTogether(this.redis, gateway);
    gateway.on('close', () => this.loss?.fail(new Error('the connection ended before Redis had answered')));
  }

  hold(): void {
    this.isHeld = true;
    for (const socket of [this.gateway, this.redis]) socket.pause();
  }

  release(): void {
    this.isHeld = false;
    for (const socket of [this.gateway, this.redis]) socket.resume();
  }

  cut(): void {
    this.gateway.destroy();
    this.redis.destroy();
  }

  private onRequest(chunk: Buffer): void {
    if (this.loss !== undefined) return;
    if (this.traffic.isDroppingAnswers) this.isOutOfStep = true;
    this.forward(chunk, this.gateway, this.redis);
    this.loss = this.traffic.takeLoss(chunk);
    if (this.loss !== undefined) this.redis.write(this.loss.ping);
  }

  private onAnswer(chunk: Buffer): void {
    if (this.loss !== undefined) {
      if (this.loss.swallow(chunk)) this.cut();
    } else if (this.traffic.isDroppingAnswers) {
      this.isOutOfStep = true;
    } else {
      this.forward(chunk, this.redis, this.gateway);
    }
  }

  /** Who does not read makes the other side wait, as without a proxy. */
  private forward(chunk: Buffer, from: Socket, to: Socket): void {
    if (to.write(chunk)) return;
    from.pause();
    to.once('drain', () => {
      if (!this.isHeld) from.resume();
    });
  }

  /** The end of one side is the end of the other, after what is on its way. */
  private endTogether(one: Socket, other: Socket): void {
    one.setNoDelay();
    one.on('error', () => undefined);
    one.on('close', () => other.destroySoon());
  }
}

/** The answer to one request that gets lost. A PING of the proxy's own behind the request tells when it was given. */
class Loss {
  readonly done: Promise<void>;
  fail: (error: Error) => void = () => undefined;
  private succeed: () => void = () => undefined;
  private readonly mark = randomUUID();
  private swallowed = '';

  constructor(readonly matches: (request: Buffer) => boolean) {
    this.done = new Promise((resolve, reject) => {
      this.succeed = resolve;
      this.fail = reject;
    });
  }

  get ping(): string {
    return `*2\r\n$4\r\nPING\r\n$${this.mark.length}\r\n${this.mark}\r\n`;
  }

  /** True when Redis has answered. */
  swallow(chunk: Buffer): boolean {
    this.swallowed += chunk.toString('latin1');
    const isDone = this.swallowed.includes(this.mark);
    if (isDone) this.succeed();
    return isDone;
  }
}

/** What holds for all connections of a proxy. */
class Traffic {
  isDroppingAnswers = false;
  readonly losses = new Set<Loss>();

  /** The loss that was ordered for such a request, once. */
  takeLoss(request: Buffer): Loss | undefined {
    const loss = [...this.losses].find(({ matches }) => matches(request));
    if (loss !== undefined) this.losses.delete(loss);
    return loss;
  }
}

/** Stands between a gateway and Redis, on a port of its own of 127.0.0.1, and is as bad as networks can be. */
export class TcpProxy {
  private readonly links = new Set<Link>();
  private readonly traffic = new Traffic();
  private isRefusing = false;
  private isFrozen = false;

  private constructor(
    private readonly server: Server,
    private readonly targetPort: number,
  ) {
    server.on('connection', (socket) => this.onConnection(socket));
  }

  /** @param targetPort of 127.0.0.1, where nobody needs to listen. */
  static async start(targetPort: number): Promise<TcpProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, targetPort);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Those of gateways that are open now. */
  get connections(): number {
    return this.links.size;
  }

  /** Ends the connections that there are; new ones are welcome. */
  cut(): void {
    for (const link of this.links) link.cut();
  }

  /** Ends the connections that there are, and every new one at once, until {@link accept}. */
  refuse(): void {
    this.isRefusing = true;
    this.cut();
  }

  accept(): void {
    this.isRefusing = false;
  }

  /** From now on requests reach Redis and its answers, and messages, get lost, until {@link passAnswers}. */
  dropAnswers(): void {
    this.traffic.isDroppingAnswers = true;
  }

  /** Connections that have asked or missed something in the meantime are ended. */
  passAnswers(): void {
    this.traffic.isDroppingAnswers = false;
    for (const link of this.links) if (link.isOutOfStep) link.cut();
  }

  /**
   * Passes the next matching request on to Redis, but no answer to it nor anything after it, and ends its connection
   * when Redis has carried it out; then it resolves.
   * @param matches for a chunk of bytes of whole commands: those that fit a packet arrive as they were written.
   */
  async dropAnswersOnce(matches: (request: Buffer) => boolean): Promise<void> {
    const loss = new Loss(matches);
    this.traffic.losses.add(loss);
    await loss.done;
  }

  /** Holds everything, both ways, until {@link thaw}. Connections stay, and new ones are held as well. */
  freeze(): void {
    this.isFrozen = true;
    for (const link of this.links) link.hold();
  }

  thaw(): void {
    this.isFrozen = false;
    for (const link of this.links) link.release();
  }

  async stop(): Promise<void> {
    this.refuse();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private onConnection(socket: Socket): void {
    if (this.isRefusing) {
      socket.on('error', () => undefined).destroy();
      return;
    }
    const link = new Link(socket, this.targetPort, this.traffic);
    this.links.add(link);
    socket.on('close', () => this.links.delete(link));
    if (this.isFrozen) link.hold();
  }
}
