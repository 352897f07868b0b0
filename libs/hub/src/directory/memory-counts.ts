/** Above so many connections a channel's number is told once in a while. */
const MANY = 100;
const PAUSE_MS = 5_000;

/** Tells how many connections channels have: at once up to 100, above that once in 5 s, and the last number in any case. */
export class MemoryCounts {
  /** Topic → when its many connections were last told their number. */
  private readonly toldAt = new Map<string, number>();
  /** Topics whose time is still to come, in its order: all wait equally long. */
  private readonly planned = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly countOf: (topic: string) => number,
    private readonly tell: (topic: string, count: number) => void,
    private readonly now: () => number,
  ) {}

  /** Somebody has come or gone. */
  changed(topic: string): void {
    const count = this.countOf(topic);
    if (count === 0) {
      this.toldAt.delete(topic);
      this.planned.delete(topic);
    } else if (count > MANY && this.waitOf(topic) > 0) {
      this.planned.add(topic);
      this.wait();
    } else {
      this.tellNow(topic, count);
    }
  }

  private waitOf(topic: string): number {
    return (this.toldAt.get(topic) ?? -Infinity) + PAUSE_MS - this.now();
  }

  private tellNow(topic: string, count: number): void {
    if (count > MANY) this.toldAt.set(topic, this.now());
    this.planned.delete(topic);
    this.tell(topic, count);
  }

  private wait(): void {
    const [first] = this.planned;
    if (this.timer !== undefined || first === undefined) return;
    this.timer = setTimeout(() => this.fallDue(), Math.max(1, this.waitOf(first)));
    this.timer.unref();
  }

  private fallDue(): void {
    this.timer = undefined;
    for (const topic of this.planned) {
      if (this.waitOf(topic) > 0) break;
      this.tellNow(topic, this.countOf(topic));
    }
    this.wait();
  }
}
