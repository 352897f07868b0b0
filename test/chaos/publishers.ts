import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpApi } from '../support/http-api.js';
import type { Operation } from './decisions.js';
import type { SimulatedClient } from './simulated-client.js';
import type { World } from './world.js';

/** A publisher gives up then and goes on. Servers answer within one second, unless they are frozen. */
const PATIENCE_MS = 4_000;
/** What a server may answer while Redis is away, or too busy. */
const REFUSALS = new Set([500, 503]);

type Publish = Extract<Operation, { kind: 'publish' }>;

/** Backends that publish over HTTP, each one request after the other, on any node. */
export class Publishers {
  private readonly last = new Map<number, Promise<void>>();
  /** When each node was frozen last, or thawed: what it answers late is no fault of its own. */
  private readonly disturbed = new Map<number, number>();

  constructor(private readonly world: World) {}

  publish(operation: Publish): void {
    const before = this.last.get(operation.publisher) ?? Promise.resolve();
    this.last.set(
      operation.publisher,
      before.then(() => this.send(operation)),
    );
  }

  clientEvent(client: SimulatedClient, channel: string, number: number): void {
    const { publications, living } = this.world;
    if (!client.isConnected || client.views.get(channel)?.steadySince === undefined) return;
    const item = { number, channels: [channel], except: client.id };
    const publication = publications.sent(item, living, `client ${client.id}`);
    // There is no answer: they are in order because they are on one connection.
    publications.answered(publication, 'ok');
    client.sendEvent(channel, number);
  }

  /** A node was stopped, or goes on. */
  disturb(node: number): void {
    this.disturbed.set(node, performance.now());
  }

  async settled(): Promise<void> {
    await Promise.all(this.last.values());
  }

  private async send({ node, publisher, items }: Publish): Promise<void> {
    const { world } = this;
    const { publications, journal, cluster } = world;
    const process = cluster.node(node);
    if (world.dead.has(process)) return;
    const { living } = world;
    const request = items[0]?.number;
    const sent = items.map((item) => publications.sent(item, living, `publisher ${publisher}`, request));
    const sentAt = performance.now();
    const bodies = items.map(({ number, channels }, index) => {
      const exceptSocket = sent[index]?.excludedSocket;
      const target = items.length > 1 ? { channel: channels[0] } : { channels };
      const except = exceptSocket === undefined ? {} : { socket_id: exceptSocket };
      return { name: 'e', data: JSON.stringify({ number }), ...target, ...except };
    });
    const status = await Promise.race([this.post(process.http, bodies), sleep(PATIENCE_MS, undefined, { ref: false })]);
    for (const publication of sent) publications.answered(publication, status === 200 ? 'ok' : 'unknown');
    if (status === 200 || world.dead.has(process)) return;
    const numbers = items.map((item) => item.number).join();
    if (status === undefined) {
      if (this.isDisturbed(node, sentAt)) return;
      journal.violation('publish', `node ${node} did not answer the publish of ${numbers} within ${PATIENCE_MS} ms`);
    } else if (!REFUSALS.has(status)) {
      journal.violation('publish', `node ${node} answered ${status} to the publish of ${numbers}`);
    }
  }

  /** The status; 0 when the connection has ended. */
  private async post(http: HttpApi, bodies: readonly object[]): Promise<number> {
    try {
      const [path, body] = bodies.length === 1 ? ['/events', bodies[0]] : ['/batch_events', { batch: bodies }];
      return (await http.post(path, body)).status;
    } catch {
      return 0;
    }
  }

  private isDisturbed(node: number, sentAt: number): boolean {
    return (this.disturbed.get(node) ?? -Infinity) > sentAt - PATIENCE_MS || this.world.isFrozen(node);
  }
}
