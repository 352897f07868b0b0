/** Transitions are held back while nodes still have to say what they hold, after Redis came back empty. */
export class RedisHold {
  /** Redis's time, ms; 0 = never. */
  until = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly tell: (what: 'heldBack' | 'released') => void) {}

  get isInForce(): boolean {
    return this.timer !== undefined;
  }

  /** @param forMs from now on; not positive: it is over, or never was. */
  set(until: number, forMs: number): void {
    this.until = until;
    if (forMs <= 0 || this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.tell('released');
    }, forMs + 1);
    this.tell('heldBack');
  }

  close(): void {
    clearTimeout(this.timer);
  }
}
