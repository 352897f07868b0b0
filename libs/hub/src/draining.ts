import { setTimeout as sleep } from 'node:timers/promises';
import { PusherErrors } from '@pogo/pusher-protocol';
import type { Connections } from './connections.js';
import type { Membership } from './membership.js';
import type { Registry } from './registry.js';
import type { SignedInUsers } from './signed-in-users.js';

const STEP_MS = 20;
/** A node with few clients does not wait for the sake of it. */
const MS_PER_CONNECTION = 2;
const CHECK_MS = 10;

/** What has something to finish. */
export interface Drained {
  readonly membership: Membership;
  readonly users: SignedInUsers;
  readonly connections: Connections;
}

/** Sends clients away gently: 4200 makes pusher-js reconnect at once, so they do not all leave in the same moment. */
export class Draining {
  private begun = false;

  constructor(
    private readonly registry: Registry,
    private readonly parts: Drained,
  ) {}

  get hasBegun(): boolean {
    return this.begun;
  }

  begin(): void {
    this.begun = true;
  }

  /** Closes every connection, and waits as long again at most until the directory knows. */
  async run(withinMs: number): Promise<void> {
    const { membership, users, connections } = this.parts;
    await this.closeAll(withinMs);
    const settled = Promise.all([membership.settled(), usersSettled(users)]);
    await Promise.race([settled, sleep(withinMs, undefined, { ref: false })]);
    membership.close();
    users.close();
    // The edge cuts off those that do not answer the closing handshake.
    while (connections.closingCount > 0) await sleep(CHECK_MS);
  }

  /** Closes every connection, spread over at most `withinMs`. */
  private async closeAll(withinMs: number): Promise<void> {
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

async function usersSettled(users: SignedInUsers): Promise<void> {
  while (users.pendingCount > 0) await sleep(CHECK_MS, undefined, { ref: false });
}
