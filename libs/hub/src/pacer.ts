import type { Inbox } from './inbox.js';

const TICK_MS = 20;

/** Inboxes whose next message waits for a token. One timer for all of them, and none while nobody waits. */
export class Pacer {
  private readonly waiting = new Set<Inbox>();
  private timer: NodeJS.Timeout | undefined;

  constructor(readonly now: () => number = () => performance.now()) {}

  add(inbox: Inbox): void {
    this.waiting.add(inbox);
    this.timer ??= setInterval(() => this.tick(), TICK_MS);
  }

  remove(inbox: Inbox): void {
    this.waiting.delete(inbox);
    this.stopIfIdle();
  }

  private tick(): void {
    for (const inbox of this.waiting) {
      if (inbox.resumePaced()) this.waiting.delete(inbox);
    }
    this.stopIfIdle();
  }

  private stopIfIdle(): void {
    if (this.waiting.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
