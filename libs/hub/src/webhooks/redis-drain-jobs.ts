import { Logger } from '@nestjs/common';
import { Queue, Worker, type Job } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import { LogPause } from '../log-pause.js';
import { pauseAfter } from './webhook-pauses.js';

const NAME = 'webhooks';
/** Endpoints that one node tells at the same time. */
const AT_ONCE = 100;
/** A node that died in the middle of one is found out by then; well above what a request may take. */
const LOCK_MS = 15_000;
const STALLED_CHECK_MS = 5_000;

interface Drain {
  readonly appId: string;
  readonly endpointId: string;
}

interface Running {
  readonly queue: Queue<Drain>;
  readonly worker: Worker<Drain>;
  /** BullMQ closes what it has opened itself. */
  readonly connections: readonly (Redis | Cluster)[];
}

/**
 * Jobs that say "empty this endpoint's stream": one at a time for each, on any node, again after a pause when it fails,
 * and on another node when one dies in the middle. While one runs, another is remembered.
 */
export class RedisDrainJobs {
  private readonly logger = new Logger(RedisDrainJobs.name);
  private readonly pause = new LogPause();
  private running: Running | undefined;
  private isClosed = false;
  /** Rejects when it must be tried again. */
  onDrain: (appId: string, endpointId: string) => Promise<void> = () => Promise.resolve();

  /**
   * @param connect a connection that waits while Redis is away, as BullMQ wants it.
   * @param prefix of all keys, with a hash tag.
   */
  constructor(
    private readonly connect: (name: string) => Redis | Cluster,
    private readonly prefix: string,
  ) {}

  /** Takes part. From the first thing that is queued in the cluster on, so that who has no webhooks has no connections. */
  start(): void {
    if (this.running !== undefined || this.isClosed) return;
    const { prefix } = this;
    const connections = [this.connect('webhooks'), this.connect('webhooks-worker')] as const;
    const queue = new Queue<Drain>(NAME, { connection: connections[0], prefix });
    const worker = new Worker<Drain>(NAME, (job) => this.drain(job), {
      connection: connections[1],
      prefix,
      concurrency: AT_ONCE,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      // How often nodes die is no reason to give up.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      settings: { backoffStrategy: pauseAfter },
    });
    queue.on('error', (error) => this.logError(error));
    worker.on('error', (error) => this.logError(error));
    this.running = { queue, worker, connections };
  }

  /** Asks for the endpoint's stream to be emptied. What does not arrive is asked for again by whoever looks after streams. */
  add(appId: string, endpointId: string): void {
    this.start();
    this.running?.queue
      .add(
        endpointId,
        { appId, endpointId },
        {
          deduplication: { id: endpointId, keepLastIfActive: true },
          // The stream knows what has waited for too long.
          attempts: Number.MAX_SAFE_INTEGER,
          backoff: { type: 'custom' },
          removeOnComplete: true,
          removeOnFail: true,
        },
      )
      .catch((error: unknown) => this.logError(error));
  }

  /** Finishes what runs here, as far as it does within `withinMs`. */
  async close(withinMs: number): Promise<void> {
    this.isClosed = true;
    if (this.running === undefined) return;
    const { queue, worker, connections } = this.running;
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise((resolve) => (timer = setTimeout(resolve, withinMs)));
    await Promise.race([worker.close(), tooLong]).catch((error: unknown) => this.logError(error));
    clearTimeout(timer);
    await Promise.race([Promise.all([worker.close(true), queue.close()]), tooLong]).catch(() => undefined);
    for (const connection of connections) connection.disconnect();
  }

  private drain({ data: { appId, endpointId } }: Job<Drain>): Promise<void> {
    return this.onDrain(appId, endpointId);
  }

  private logError(error: unknown): void {
    if (this.isClosed || !this.pause.isOver()) return;
    this.logger.warn(`webhooks: ${error instanceof Error ? error.message : String(error)}`);
  }
}
