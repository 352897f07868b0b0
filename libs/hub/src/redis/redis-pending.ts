import { Logger } from '@nestjs/common';
import { LogPause } from '../log-pause.js';
import { UnavailableError } from '../unavailable-error.js';
import { FALL_DUE, FETCHED } from './redis-due-scripts.js';
import { GATHER_MS } from '../webhooks/webhook-pauses.js';
import type { RedisLeases } from './redis-leases.js';
import { RedisScript } from './redis-script.js';
import type { RedisSession } from './redis-session.js';

const fallDue = new RedisScript(FALL_DUE);
const fetched = new RedisScript(FETCHED);

/** Sent to Redis when the directory's link opens. */
export const PENDING_SCRIPTS = [fallDue, fetched];

/** How often somebody looks everywhere, for what those knew of that are gone. */
const SWEEP_MS = 4_000;
const ENTRIES_PER_LOOK = 200;
const PAUSE_AFTER_FAILURE_MS = 1_000;
/** Longer than this is left to the sweep, and to whoever plans it. */
const LONGEST_WAIT_MS = 30_000;

/** Something for webhooks, as the scripts write it. */
export interface PendingEntry {
  readonly id: string;
  readonly name: string;
  readonly channel: string;
  /** The user of a member, the number of a count; undefined when `json` says it all. */
  readonly detail: string | undefined;
  /** The event as webhooks have it. */
  readonly json: string | undefined;
}

/**
 * Looks after what waits in buckets: what has fallen due is told, and what webhooks want to hear is handed on. Every node
 * looks where it has caused something; one of them looks everywhere now and then. The scripts compare with the state, so
 * that it does not matter who looks, how often, and who dies before or after.
 */
export class RedisPending {
  private readonly logger = new Logger(RedisPending.name);
  private readonly pause = new LogPause();
  /** Bucket → when to look, on the clock of `performance.now()`. */
  private readonly planned = new Map<string, number>();
  private readonly looking = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private wakesAt = Infinity;
  private sweeper: NodeJS.Timeout | undefined;
  private isClosed = false;
  /** Takes entries over; resolves when they are safe. Rejects: they are handed on once more. */
  onEntries: (bucket: string, entries: readonly PendingEntry[]) => Promise<void> = () => Promise.resolve();
  /** Called now and then, with the endpoints that something was ever queued for and their apps; to be the one who looks after them or not. */
  onEndpoints: (endpoints: ReadonlyMap<string, string>, isChosen: boolean) => void = () => undefined;

  constructor(
    private readonly session: Pick<RedisSession, 'isReady' | 'read'>,
    private readonly leases: Pick<RedisLeases, 'lookEverywhere'>,
  ) {}

  start(): void {
    this.sweeper = setInterval(() => void this.sweep(), SWEEP_MS);
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    clearInterval(this.sweeper);
  }

  /** Something has begun to wait in `bucket`. */
  note(bucket: string): void {
    this.plan(bucket, GATHER_MS);
  }

  private plan(bucket: string, inMs: number): void {
    if (this.isClosed) return;
    const at = performance.now() + Math.min(inMs, LONGEST_WAIT_MS);
    if (at >= (this.planned.get(bucket) ?? Infinity)) return;
    this.planned.set(bucket, at);
    if (at < this.wakesAt) this.wakeAt(at);
  }

  private wakeAt(at: number): void {
    clearTimeout(this.timer);
    this.wakesAt = at;
    this.timer = setTimeout(() => this.lookAround(), Math.max(1, Math.ceil(at - performance.now())));
    this.timer.unref();
  }

  private lookAround(): void {
    const now = performance.now();
    this.wakesAt = Infinity;
    for (const [bucket, at] of this.planned) {
      if (at > now || this.looking.has(bucket)) continue;
      this.planned.delete(bucket);
      void this.look(bucket);
    }
    const next = Math.min(...[...this.planned].filter(([bucket]) => !this.looking.has(bucket)).map(([, at]) => at));
    if (next < Infinity) this.wakeAt(next);
  }

  private async look(bucket: string): Promise<void> {
    this.looking.add(bucket);
    let next = -1;
    try {
      const [, wait, rows] = await this.session.read(bucket, fallDue, [ENTRIES_PER_LOOK]);
      const entries = (rows as Row[]).map(entryOf);
      if (entries.length > 0) {
        await this.onEntries(bucket, entries);
        await this.session.read(
          bucket,
          fetched,
          entries.map(({ id }) => id),
        );
      }
      next = entries.length === ENTRIES_PER_LOOK ? 0 : Number(wait);
    } catch (error) {
      // Somebody's app provider may fail at every look.
      if (!(error instanceof UnavailableError) && this.pause.isOver()) this.logger.error(error);
      next = PAUSE_AFTER_FAILURE_MS;
    }
    this.looking.delete(bucket);
    if (next >= 0) this.plan(bucket, next);
    // It may have been planned, and its time have come, while this look was under way.
    const at = this.planned.get(bucket);
    if (at !== undefined && at < this.wakesAt) this.wakeAt(at);
  }

  private async sweep(): Promise<void> {
    if (!this.session.isReady) return;
    try {
      const { isChosen, buckets, endpoints } = await this.leases.lookEverywhere(SWEEP_MS);
      for (const bucket of buckets) this.note(bucket);
      if (endpoints.size > 0) this.onEndpoints(endpoints, isChosen);
    } catch (error) {
      if (!(error instanceof UnavailableError)) this.logger.error(error);
    }
  }
}

type Row = [id: Buffer, fields: Buffer[]];

function entryOf([id, fields]: Row): PendingEntry {
  const values = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) values.set(String(fields[i]), String(fields[i + 1]));
  return {
    id: id.toString(),
    name: values.get('t') ?? '',
    channel: values.get('c') ?? '',
    detail: values.get('u'),
    json: values.get('j'),
  };
}
