import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Client } from './client.js';
import type { GatewayProcess } from './gateway-process.js';

export function nodeOf(nodes: readonly GatewayProcess[], index: number): GatewayProcess {
  return nodes[index % nodes.length] as GatewayProcess;
}

/** What is published on each node reaches everybody. */
export async function expectDelivery(
  channel: string,
  nodes: readonly GatewayProcess[],
  listeners: readonly Client[],
): Promise<void> {
  for (const node of nodes) {
    const name = `marker-of-${node.port}`;
    expect((await node.http.publish(channel, name, '1')).status).toBe(200);
    for (const listener of listeners) await listener.receive(name);
  }
}

/** Publishes numbered events on one node, one after another, and keeps the answers. */
export class LoadPublisher {
  readonly answers: { readonly status: number; readonly body: unknown; readonly seconds: number }[] = [];
  private readonly ended: Promise<void>;
  private isStopped = false;

  constructor(
    private readonly node: Pick<GatewayProcess, 'http'>,
    private readonly channel: string,
    private readonly name: string,
  ) {
    this.ended = this.run();
  }

  numberOf(status: number): number {
    return this.answers.filter((answer) => answer.status === status).length;
  }

  /** The last event that was taken before the first failure, and the one that failed. */
  get brink(): string[] {
    const first = this.answers.findIndex(({ status }) => status !== 200);
    return [first - 1, first].map((index) => `${this.name}-${index}`);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.ended;
  }

  private async run(): Promise<void> {
    while (!this.isStopped) {
      const startedAt = performance.now();
      const { status, body } = await this.node.http.publish(
        this.channel,
        'load',
        `${this.name}-${this.answers.length}`,
      );
      this.answers.push({ status, body, seconds: (performance.now() - startedAt) / 1_000 });
      await sleep(5);
    }
  }
}
