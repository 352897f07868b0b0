import { onTestFinished, vi } from 'vitest';

/** For servers in this process no time passes, but what {@link advance} says: until the test ends, or {@link goOn}. */
export class StillClock {
  private now = performance.now();
  private readonly spy = vi.spyOn(performance, 'now').mockImplementation(() => this.now);

  /** To be made inside of a test. */
  constructor() {
    onTestFinished(() => this.goOn());
  }

  advance(ms: number): void {
    this.now += ms;
  }

  goOn(): void {
    this.spy.mockRestore();
  }
}
