import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from './api-client.js';
import { CliError } from './context.js';
import type { Target } from './target.js';
import { WsClient, type Opening, type ServerMessage } from './ws-client.js';

export interface LoadPlan {
  readonly connections: number;
  readonly channels: number;
  /** Events per second. */
  readonly rate: number;
  readonly seconds: number;
  /** Of an event's data. */
  readonly bytes: number;
}

export interface LoadResult {
  readonly connected: number;
  readonly connectSeconds: number;
  readonly published: number;
  readonly refused: number;
  /** Deliveries that the publishes should have caused. */
  readonly expected: number;
  readonly delivered: number;
  /** From before the request to the client. */
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** Handshakes at once: a server's queue of connections is not endless. */
const DIALS_AT_ONCE = 50;
/** A server lets so many clients of one address in within a second, and no more: handshake_rate. */
const TOO_MANY = 429;
const DIALS_PER_CLIENT = 10;
const REDIAL_MS = 1_000;
const TICK_MS = 100;
const EVENT = 'pogo-bench';

/** Clients and a publisher in one process, so that one clock measures. */
export class Load {
  private readonly clients: WsClient[] = [];
  private readonly latencies: number[] = [];
  private readonly prefix = `pogo-bench-${randomBytes(4).toString('hex')}-`;
  private published = 0;
  private refused = 0;
  private expected = 0;

  constructor(
    private readonly target: Target,
    private readonly api: ApiClient,
    private readonly plan: LoadPlan,
    private readonly progress: (text: string) => void,
  ) {}

  async run(): Promise<LoadResult> {
    try {
      const startedAt = performance.now();
      await this.connect();
      const connectSeconds = (performance.now() - startedAt) / 1_000;
      await this.publish();
      await this.settle();
      return this.result(connectSeconds);
    } finally {
      for (const client of this.clients) client.close();
    }
  }

  private async connect(): Promise<void> {
    const { connections } = this.plan;
    let next = 0;
    const dial = async () => {
      try {
        while (next < connections) await this.connectOne(next++);
      } finally {
        // The others need not go on when one has failed.
        next = connections;
      }
    };
    const dials = Array.from({ length: Math.min(DIALS_AT_ONCE, connections) }, dial);
    // All of them have ended then: a client that comes after the others were closed would keep the process alive.
    const ends = await this.everySecond(
      () => `connected ${this.clients.length} of ${connections}`,
      Promise.allSettled(dials),
    );
    const failure = ends.find((end) => end.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
  }

  /** Says how far it is while `work` lasts: by the clock, because counts are skipped when many are done at once. */
  private async everySecond<T>(text: () => string, work: Promise<T>): Promise<T> {
    const ticker = setInterval(() => this.progress(text()), 1_000);
    try {
      return await work;
    } finally {
      clearInterval(ticker);
    }
  }

  private async connectOne(index: number): Promise<void> {
    const { timeoutMs } = this.target;
    const opening = await this.dial();
    if (opening.outcome !== 'established') {
      throw new CliError(
        `client ${index + 1} could not connect (${JSON.stringify(opening)}); pogo doctor says why. A server refuses many clients of one address: handshake_rate`,
      );
    }
    const { client } = opening;
    this.clients.push(client);
    client.onMessage((message) => this.received(message));
    if (!(await client.subscribe(this.channelOf(index), timeoutMs))) {
      throw new CliError(`client ${index + 1} was not let into a channel in time`);
    }
  }

  private async dial(): Promise<Opening> {
    const { base, key, timeoutMs } = this.target;
    for (let dialled = 1; ; dialled++) {
      const opening = await WsClient.open(base, key, { timeoutMs });
      const isTooMany = opening.outcome === 'no_upgrade' && opening.status === TOO_MANY;
      if (!isTooMany || dialled === DIALS_PER_CLIENT) return opening;
      await sleep(REDIAL_MS);
    }
  }

  private channelOf(index: number): string {
    return `${this.prefix}${index % this.plan.channels}`;
  }

  private received({ event, data }: ServerMessage): void {
    if (event !== EVENT) return;
    this.latencies.push(performance.now() - Number(String(data).slice(0, 20)));
  }

  private async publish(): Promise<void> {
    const total = this.plan.rate * this.plan.seconds;
    const text = () => `published ${this.published} of ${total}`;
    await this.everySecond(text, this.publishAll(total));
    this.progress(text());
  }

  /** A tick's events are requested together: a clock of ms cannot space a thousand a second. */
  private async publishAll(total: number): Promise<void> {
    const { rate } = this.plan;
    const startedAt = performance.now();
    const pending = new Set<Promise<void>>();
    for (let sent = 0; sent < total;) {
      const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1_000) * rate) + 1);
      while (sent < due) {
        const request: Promise<void> = this.publishOne(sent++).finally(() => pending.delete(request));
        pending.add(request);
      }
      await sleep(Math.min(TICK_MS, 1_000 / rate));
    }
    await Promise.all(pending);
  }

  private async publishOne(index: number): Promise<void> {
    const channel = this.channelOf(index);
    const data = performance.now().toFixed(3).padEnd(20).padEnd(this.plan.bytes, 'x');
    const status = await this.api.request('POST', '/events', { name: EVENT, channel, data }).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status !== 200) {
      this.refused++;
      return;
    }
    this.published++;
    const { connections, channels } = this.plan;
    const position = index % channels;
    this.expected += Math.floor(connections / channels) + (position < connections % channels ? 1 : 0);
  }

  /** Until everything is there, or nothing has come for a while. */
  private async settle(): Promise<void> {
    for (let quiet = 0; quiet < 10 && this.latencies.length < this.expected; quiet++) {
      const before = this.latencies.length;
      await sleep(TICK_MS);
      if (this.latencies.length > before) quiet = 0;
    }
  }

  private result(connectSeconds: number): LoadResult {
    const sorted = Float64Array.from(this.latencies).sort();
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return {
      connected: this.clients.length,
      connectSeconds,
      published: this.published,
      refused: this.refused,
      expected: this.expected,
      delivered: sorted.length,
      latencyMs: { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 },
    };
  }
}
