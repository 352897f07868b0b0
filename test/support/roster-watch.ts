import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { dataOf, type Client, type Message } from './client.js';
import type { GatewayProcess } from './gateway-process.js';
import type { RedisServer } from './redis.js';

const ACKNOWLEDGED = 'pusher_internal:subscription_succeeded';
const ADDED = 'pusher_internal:member_added';
const REMOVED = 'pusher_internal:member_removed';

/** What one client would show of its presence channels, and whatever it was told that cannot be. */
export class RosterWatch {
  /** Added although it was there, removed although it was not, acknowledged twice, closed. */
  readonly violations: string[] = [];
  /** `+user` and `-user` of all channels, as they came. */
  readonly changes: string[] = [];
  private readonly rosters = new Map<string, Set<string>>();
  private isLeaving = false;

  /** @param client that has subscribed to nothing yet. */
  constructor(readonly client: Client) {
    // Behind the client's own listener, so that the message is the latest.
    client.socket.on('message', () => this.hear(client.received.at(-1)));
    client.socket.on('close', (code) => {
      if (!this.isLeaving) this.violations.push(`closed with ${code}`);
    });
  }

  /** A new connection in one channel, acknowledged. */
  static async join(node: GatewayProcess, channel: string, userId: string): Promise<RosterWatch> {
    const watch = new RosterWatch(await node.connect());
    await watch.client.subscribe(channel, { user_id: userId });
    return watch;
  }

  /** Waits until all see so many members; `changes` begins with what comes next. */
  static async acquainted(watches: readonly RosterWatch[], channel: string, members: number): Promise<void> {
    for (const watch of watches) {
      await becomes(30, members, () => watch.members(channel).length);
      watch.changes.splice(0);
    }
  }

  /** In order of their ids. */
  members(channel: string): string[] {
    return [...(this.rosters.get(channel) ?? [])].sort();
  }

  /** How often something was told, for example `-ada`. */
  count(change: string): number {
    return this.changes.filter((each) => each === change).length;
  }

  /** Closes the connection, on purpose. */
  async leave(): Promise<void> {
    this.isLeaving = true;
    await this.client.disconnect();
  }

  private hear(message: Message | undefined): void {
    const { event, channel = '' } = message ?? {};
    if (message === undefined || !channel.startsWith('presence-')) return;
    const roster = this.rosters.get(channel);
    if (event === ACKNOWLEDGED) {
      if (roster !== undefined) this.violations.push(`${channel} acknowledged twice`);
      const { presence } = dataOf(message) as { presence: { ids: string[] } };
      this.rosters.set(channel, new Set(presence.ids));
    } else if (event === ADDED || event === REMOVED) {
      const { user_id: userId } = dataOf(message) as { user_id: string };
      const change = `${event === ADDED ? '+' : '-'}${userId}`;
      const isRight = event === ADDED ? !roster?.has(userId) : roster?.delete(userId);
      if (isRight !== true || roster === undefined) this.violations.push(`${change} in ${channel}`);
      if (event === ADDED) roster?.add(userId);
      this.changes.push(change);
    }
  }
}

/** What a node answers about a presence channel. */
export async function stateOf({ http }: GatewayProcess, channel: string): Promise<object> {
  const path = `/channels/${channel}`;
  const [info, users] = await Promise.all([
    http.get(path, { info: 'user_count,subscription_count' }),
    http.get(`${path}/users`),
  ]);
  if (info.status !== 200 || users.status !== 200) return { answers: [info, users].map(({ status }) => status) };
  const ids = (users.body as { users: { id: string }[] }).users.map(({ id }) => id).sort();
  return { ...(info.body as object), ids };
}

/** What {@link stateOf} is when everything is right. @param ids in order. */
export function stateWith(ids: readonly string[], subscriptions = ids.length): object {
  return { occupied: ids.length > 0, user_count: ids.length, subscription_count: subscriptions, ids: [...ids] };
}

/** Asks until the answer is `expected`. The error says what it was last. */
export async function becomes<T>(seconds: number, expected: T, ask: () => T | Promise<T>): Promise<void> {
  const deadline = performance.now() + 1_000 * seconds;
  for (;;) {
    const answer = await ask();
    if (isDeepStrictEqual(answer, expected)) return;
    if (performance.now() > deadline) {
      throw new Error(`after ${seconds} s it is ${brief(answer)} and not ${brief(expected)}`);
    }
    await sleep(10);
  }
}

/** The living and whoever is being cleaned up. */
export function incarnationsIn({ inspector }: RedisServer): Promise<string[]> {
  return inspector.zrange('{pogo}:l', '0', '-1');
}

/** How long transitions are `held` back still, or nobody may be taken for dead (`grace`). */
export async function timeLeftMs({ inspector }: RedisServer, what: 'held' | 'grace'): Promise<number> {
  const [seconds, micros] = await inspector.time();
  return Number(await inspector.hget('{pogo}:e', what)) - Number(seconds) * 1_000 - Number(micros) / 1_000;
}

/** Keys that only an incarnation with one of these names needs. */
export async function tracesOf({ inspector }: RedisServer, incarnations: readonly string[]): Promise<string[]> {
  const [keys, leases, claims] = await Promise.all([
    inspector.keys('*'),
    inspector.zrange('{pogo}:l', '0', '-1'),
    inspector.hkeys('{pogo}:x'),
  ]);
  return [...keys, ...leases, ...claims].filter((text) => incarnations.some((name) => text.includes(name)));
}

/** `user-0`, `user-1`, … in the order of their ids. */
export function usersNamed(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}-${String(index).padStart(4, '0')}`);
}

function brief(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}
