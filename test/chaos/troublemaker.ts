import type { Fault } from './decisions.js';
import type { SimulatedRedis } from './simulated-redis.js';
import type { WebhookWatch } from './webhook-watch.js';
import type { World } from './world.js';

type NodeFault = Extract<Fault, { kind: `${string}Node` }>;
type RedisFault = Extract<Fault, { kind: `${string}Redis` }>;
type LinkFault = Exclude<Fault, NodeFault | RedisFault>;

/** Carries out faults, and ends them. */
export class Troublemaker {
  /** What happens to one thing happens in the order in which it was decided, however long each takes. */
  private readonly orders = new Map<string, Promise<void>>();

  constructor(
    private readonly world: World,
    private readonly webhooks: WebhookWatch,
    private readonly redis: SimulatedRedis,
  ) {}

  carryOut(fault: Fault): void {
    if (!('node' in fault)) this.inOrder('redis', () => this.disturbRedis(fault));
    else if (isOfNode(fault)) this.inOrder(`node ${fault.node}`, () => this.disturbNode(fault));
    else this.disturbLink(fault);
    // Clients that are decided to connect to a dead node from now on wait for it.
    if (fault.kind === 'startNode') {
      const { starting } = this.world;
      const order = this.orders.get(`node ${fault.node}`) as Promise<void>;
      const started = order.then(() => {
        if (starting.get(fault.node) === started) starting.delete(fault.node);
      });
      starting.set(fault.node, started);
    }
  }

  /** Everything that was killed runs again. */
  async settled(): Promise<void> {
    await Promise.all(this.orders.values());
  }

  private async disturbNode({ kind, node }: NodeFault): Promise<void> {
    const { cluster, publications, publishers, frozen, dead } = this.world;
    const process = cluster.node(node);
    switch (kind) {
      case 'killNode':
        publications.faultBegins();
        dead.add(process);
        await process.kill();
        break;
      case 'startNode':
        await this.restart(node);
        publications.faultEnds();
        break;
      case 'freezeNode':
        publications.faultBegins();
        publishers.disturb(node);
        frozen.add(node);
        process.freeze();
        break;
      case 'thawNode':
        process.thaw();
        publishers.disturb(node);
        frozen.delete(node);
        publications.faultEnds();
        break;
    }
  }

  private async disturbRedis({ kind, server }: RedisFault): Promise<void> {
    const { publications } = this.world;
    const redis = this.redis.server(server);
    switch (kind) {
      case 'cutRedis':
        publications.faultBegins();
        this.redis.cut(server);
        publications.faultEnds();
        break;
      case 'killRedis':
        publications.faultBegins();
        await redis.kill();
        this.webhooks.beginAnew();
        break;
      case 'startRedis':
        // What was taken from the old one may still have come.
        this.webhooks.beginAnew();
        await redis.restart();
        publications.faultEnds();
        break;
      case 'freezeRedis':
        publications.faultBegins();
        redis.freeze();
        // Its replica may take its place, and not have heard of the last of it.
        if (this.redis.count > 1) this.webhooks.beginAnew();
        break;
      case 'thawRedis':
        if (this.redis.count > 1) this.webhooks.beginAnew();
        redis.thaw();
        publications.faultEnds();
        break;
    }
  }

  private disturbLink({ kind, node }: LinkFault): void {
    const { cluster, publications } = this.world;
    const proxy = cluster.proxy(node);
    switch (kind) {
      case 'cutLink':
        publications.faultBegins();
        proxy.cut();
        break;
      case 'refuseLink':
        publications.faultBegins();
        proxy.refuse();
        return;
      case 'holdLink':
        publications.faultBegins();
        proxy.freeze();
        return;
      case 'dropAnswers':
        publications.faultBegins();
        proxy.dropAnswers();
        return;
      case 'acceptLink':
        proxy.accept();
        break;
      case 'releaseLink':
        proxy.thaw();
        break;
      case 'passAnswers':
        proxy.passAnswers();
        break;
    }
    publications.faultEnds();
  }

  /** As a supervisor does: a node that finds no Redis for long is given up and started again. */
  private async restart(node: number): Promise<void> {
    const { cluster, journal } = this.world;
    while (!this.world.isStopped) {
      try {
        await cluster.restartNode(node);
        return;
      } catch (error) {
        journal.note(`node ${node} did not start: ${(error as Error).message.slice(0, 500)}`);
      }
    }
  }

  private inOrder(what: string, action: () => Promise<void>): void {
    const order = (this.orders.get(what) ?? Promise.resolve()).then(action);
    this.orders.set(what, order);
  }
}

function isOfNode(fault: NodeFault | LinkFault): fault is NodeFault {
  return fault.kind.endsWith('Node');
}
