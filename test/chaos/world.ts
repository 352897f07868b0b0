import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../support/cluster.js';
import type { GatewayProcess } from '../support/gateway-process.js';
import { isCached } from './channels.js';
import type { Operation } from './decisions.js';
import type { Journal } from './journal.js';
import type { Publications } from './publications.js';
import { Publishers } from './publishers.js';
import { SimulatedClient, type ClientListener } from './simulated-client.js';

/** Longer than any message takes to arrive after it was sent, on a machine that is busy. */
const SLACK_MS = 2_000;
/** So late may come what was held back: an outage, and after it the time in which nodes say what they hold. */
const HELD_BACK_MS = 20_000;
/** A little less than a subscription waits for its answer. */
const JOIN_DEADLINE_MS = 9_000;
const UNANSWERED = 4200;
const NO_PONG = 4201;

interface Suspicion {
  readonly text: string;
  readonly at: number;
  readonly host: SimulatedClient;
}

/** The clients, the servers that they are connected to, and what is seen of the one by the other. */
export class World implements ClientListener {
  readonly clients = new Map<number, SimulatedClient>();
  /** Processes that were killed. */
  readonly dead = new Set<GatewayProcess>();
  /** What a server is starting for each of the nodes that are down. */
  readonly starting = new Map<number, Promise<void>>();
  /** Nodes that are stopped now. */
  readonly frozen = new Set<number>();
  isStopped = false;
  readonly publishers: Publishers;
  private suspicions: Suspicion[] = [];
  private readonly clock = (): string => this.journal.clock;

  constructor(
    readonly cluster: Cluster,
    readonly journal: Journal,
    readonly publications: Publications,
  ) {
    this.publishers = new Publishers(this);
  }

  isFrozen(node: number): boolean {
    return this.frozen.has(node);
  }

  get living(): SimulatedClient[] {
    return [...this.clients.values()].filter(({ isConnected }) => isConnected);
  }

  /** Those of a channel, as they have asked for it last. */
  subscribersOf(channel: string): SimulatedClient[] {
    return this.living.filter((client) => client.wants(channel));
  }

  carryOut(operation: Operation): void {
    if (operation.kind === 'publish') {
      this.publishers.publish(operation);
      return;
    }
    const { client: id } = operation;
    if (operation.kind === 'connect') {
      this.connect(id, operation.user, operation.node);
      return;
    }
    const client = this.clients.get(id);
    if (client === undefined || client.isOver) return;
    switch (operation.kind) {
      case 'subscribe':
        // Its new answer brings the last event only.
        if (isCached(operation.channel)) this.publications.forget(client, operation.channel);
        client.subscribe(operation.channel);
        break;
      case 'unsubscribe':
        this.publications.forget(client, operation.channel);
        client.unsubscribe(operation.channel);
        break;
      case 'signIn':
        client.signIn();
        break;
      case 'close':
      case 'terminate':
        this.publications.forget(client);
        client[operation.kind]();
        break;
      case 'clientEvent':
        this.publishers.clientEvent(client, operation.channel, operation.number);
        break;
    }
  }

  /** A client of a node that is being started waits for it. */
  private connect(id: number, user: string, node: number): void {
    const starting = this.starting.get(node);
    if (starting !== undefined) {
      void starting.then(() => this.connect(id, user, node));
      return;
    }
    const process = this.cluster.node(node);
    if (this.dead.has(process)) return;
    this.clients.set(id, new SimulatedClient(id, user, process, this, this.clock));
  }

  event(client: SimulatedClient, channel: string, number: number, isCachedEvent: boolean): void {
    this.publications.received(client, channel, number, isCachedEvent);
  }

  changed(client: SimulatedClient, channel: string, type: 'member_added' | 'member_removed', user: string): void {
    this.journal.count(`${type} seen`);
    if (type === 'member_added') return;
    const at = performance.now();
    for (const host of this.clients.values()) {
      if (host.node !== client.node || host.user !== user || !host.isConnected) continue;
      const since = host.views.get(channel)?.steadySince;
      // Who has come meanwhile may have left before, and the others hear of both only now.
      const slack = host === client ? 0 : this.publications.isCalm ? SLACK_MS : HELD_BACK_MS;
      if (since === undefined || since > at - slack) continue;
      const text = `client ${client.id} was told that ${user} left ${channel}, where client ${host.id} of its node is`;
      this.suspicions.push({ text, at, host });
    }
  }

  /** Those whose host has not turned out to be gone. For when all that was said has arrived. */
  judgeSuspicions(): void {
    for (const { text, at, host } of this.suspicions) {
      if (host.closedAt === undefined || host.closedAt > at + SLACK_MS) this.journal.violation('host', text);
    }
    this.suspicions = [];
  }

  closed(client: SimulatedClient, code: number, reason: string): void {
    this.publications.forget(client);
    if (client.isLeaving || this.dead.has(client.node)) return;
    this.journal.count(`closed ${code}`);
    const since = client.unanswered.map(({ askedAt = Infinity }) => askedAt);
    if (code === UNANSWERED && performance.now() - Math.min(...since) > JOIN_DEADLINE_MS) return;
    if (code === NO_PONG) return;
    // A process that is being killed may close its sockets before we hear that it is dead.
    void sleep(SLACK_MS).then(() => {
      if (!this.dead.has(client.node)) this.violation(client, `closed with ${code} ${reason}`);
    });
  }

  violation(client: SimulatedClient, text: string): void {
    this.journal.violation('client', `client ${client.id} (${client.user}): ${text}`);
  }

  /** Ends everything that would keep this process. */
  stop(): void {
    this.isStopped = true;
    for (const client of this.clients.values()) if (client.closedAt === undefined) client.terminate();
  }
}
