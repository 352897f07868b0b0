const SETTLE_MS = 3_000;

/** What is gone, and is told of when it has stayed so for three seconds. */
export class Settling<Item> {
  /** In the order in which they fall due: all wait equally long. */
  private readonly items = new Map<string, { readonly item: Item; readonly due: number }>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly tell: (item: Item) => void) {}

  begin(key: string, item: Item): void {
    this.items.set(key, { item, due: performance.now() + SETTLE_MS });
    this.timer ??= this.wait(SETTLE_MS);
  }

  /** It is back. False: nothing was waiting. */
  cancel(key: string): boolean {
    return this.items.delete(key);
  }

  /** Tells of everything at once. */
  endNow(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.fallDue(Infinity);
  }

  private fallDue(now: number): void {
    this.timer = undefined;
    for (const [key, { item, due }] of this.items) {
      if (due > now) {
        this.timer = this.wait(due - now);
        return;
      }
      this.items.delete(key);
      this.tell(item);
    }
  }

  private wait(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.fallDue(performance.now()), Math.max(1, Math.ceil(ms))).unref();
  }
}
