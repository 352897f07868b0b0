import { CHANNELS, isPresence } from './channels.js';
import type { SimulatedClient } from './simulated-client.js';
import type { World } from './world.js';

/** What the living clients hold, which is what everybody else has to say as well. */
export class Truth {
  readonly living: readonly SimulatedClient[];
  /** By channel; those that nobody is in have none. */
  readonly subscribers = new Map<string, readonly SimulatedClient[]>();
  /** Signed-in users and their sockets. */
  readonly online = new Map<string, readonly SimulatedClient[]>();

  constructor(world: World) {
    this.living = world.living;
    for (const channel of CHANNELS) {
      const subscribers = world.subscribersOf(channel);
      if (subscribers.length > 0) this.subscribers.set(channel, subscribers);
    }
    for (const client of this.living.filter(({ isSignedIn }) => isSignedIn)) {
      this.online.set(client.user, [...(this.online.get(client.user) ?? []), client]);
    }
  }

  /** Sorted user ids. */
  membersOf(channel: string): string[] {
    if (!isPresence(channel)) return [];
    return [...new Set((this.subscribers.get(channel) ?? []).map(({ user }) => user))].sort();
  }
}

export function socketsOf(clients: readonly SimulatedClient[] = []): string[] {
  return clients.map(({ socketId }) => socketId ?? '').sort();
}

/** A sentence when the two are not the same, as JSON; for lists that are sorted. */
export function difference(what: string, seen: unknown, wanted: unknown): string[] {
  if (Array.isArray(seen) && Array.isArray(wanted)) return listDifference(what, seen, wanted);
  const [is, should] = [JSON.stringify(seen), JSON.stringify(wanted)];
  return is === should ? [] : [`${what}: ${is} instead of ${should}`];
}

/** Only what differs: lists are long. */
function listDifference(what: string, seen: readonly unknown[], wanted: readonly unknown[]): string[] {
  const [is, should] = [seen.map((each) => JSON.stringify(each)), wanted.map((each) => JSON.stringify(each))];
  if (is.join() === should.join()) return [];
  const tooMuch = is.filter((each, i) => !should.includes(each) || is.indexOf(each) !== i);
  const missing = should.filter((each) => !is.includes(each));
  return [
    `${what}: ${is.length} instead of ${should.length}, too much [${tooMuch.join()}], missing [${missing.join()}]`,
  ];
}
