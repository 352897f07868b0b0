import { Logger } from '@nestjs/common';

/** @param now sweeper time, ms. */
export type SweepTask = (now: number) => void;

/**
 * The node's one timer for everything that happens "some time later": liveness, slow sockets, idle topics. Its clock
 * stands still while the process does (a stalled event loop, a frozen process), so a deadline means time in which
 * the node could have read what its clients sent.
 */
export class Sweeper {
  private readonly logger = new Logger(Sweeper.name);
  private readonly tasks: SweepTask[] = [];
  private timer: NodeJS.Timeout | undefined;
  private time = 0;
  private lastTickAt = 0;

  /** @param monotonic ms; replaced in tests. */
  constructor(
    readonly tickMs: number,
    private readonly monotonic: () => number = () => performance.now(),
  ) {}

  /** Ms since the last round; undefined before the start and after the end. */
  get silentMs(): number | undefined {
    return this.timer === undefined ? undefined : this.monotonic() - this.lastTickAt;
  }

  /** Sweeper time, ms; advances with each tick. */
  now(): number {
    return this.time;
  }

  add(task: SweepTask): void {
    this.tasks.push(task);
  }

  start(): void {
    this.lastTickAt = this.monotonic();
    // The tasks run in the check phase, after the poll phase that follows the timer: input that was already there when
    // the timer fired has been read by then, and a client that answered in time is never taken for dead.
    this.timer = setInterval(() => setImmediate(() => this.tick()), this.tickMs);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** One round. Public for tests. */
  tick(): void {
    const at = this.monotonic();
    this.time += Math.min(at - this.lastTickAt, 2 * this.tickMs);
    this.lastTickAt = at;
    for (const task of this.tasks) {
      try {
        task(this.time);
      } catch (error) {
        this.logger.error(error);
      }
    }
  }
}
