const SHORTEST_PAUSE_MS = 500;

/** When to say that this node lives, and when it was said last. */
export class RedisHeartbeat {
  /** When the last one left that was answered, on the clock of `performance.now()`. */
  sentAt = 0;
  private timer: NodeJS.Timeout | undefined;
  private isDue = false;

  constructor(
    private readonly periodMs: number,
    private readonly beat: () => Promise<void>,
  ) {}

  get silenceMs(): number {
    return performance.now() - this.sentAt;
  }

  start(): void {
    this.timer = setInterval(() => void this.beat(), this.periodMs);
  }

  /** There is news: the next one does not wait for its turn. */
  soon(): void {
    if (this.isDue) return;
    this.isDue = true;
    const beat = () => {
      this.isDue = false;
      void this.beat();
    };
    setTimeout(beat, Math.max(0, SHORTEST_PAUSE_MS - this.silenceMs)).unref();
  }

  close(): void {
    clearInterval(this.timer);
  }
}
