import { setTimeout as sleep } from 'node:timers/promises';
import { PusherErrors } from '@pogo/pusher-protocol';
import type { Registry } from './registry.js';

const STEP_MS = 20;
/** A node with few clients does not wait for the sake of it. */
const MS_PER_CONNECTION = 2;

/** Sends clients away gently: 4200 makes pusher-js reconnect at once, so they do not all leave in the same moment. */
export class Draining {
  private begun = false;

  constructor(private readonly registry: Registry) {}

  get hasBegun(): boolean {
    return this.begun;
  }

  begin(): void {
    this.begun = true;
  }

  /** Closes every connection, spread over at most `withinMs`. */
  async closeAll(withinMs: number): Promise<void> {
    this.begin();
    const count = this.registry.size;
    const steps = Math.max(1, Math.floor(Math.min(withinMs, count * MS_PER_CONNECTION) / STEP_MS));
    const perStep = Math.ceil(count / steps);
    for (;;) {
      let closed = 0;
      for (const connection of this.registry.connections()) {
        connection.closeQuietly(PusherErrors.draining);
        if (++closed === perStep) break;
      }
      if (this.registry.size === 0) return;
      await sleep(STEP_MS);
    }
  }
}
