const PAUSE_MS = 10_000;

/** For what goes wrong with every request of an outage, and is worth a line now and then. */
export class LogPause {
  private lastAt = -Infinity;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** True at most once in ten seconds: then the caller logs. */
  isOver(): boolean {
    const now = this.now();
    if (now - this.lastAt < PAUSE_MS) return false;
    this.lastAt = now;
    return true;
  }
}
