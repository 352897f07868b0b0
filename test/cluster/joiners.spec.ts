import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../support/client.js';
import { Cluster } from '../support/cluster.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import {
  ADDED,
  caughtUp,
  heard,
  leave,
  membersKnownTo,
  presenceIn,
  REMOVED,
  transitions,
} from '../support/observer.js';

const NODES = [0, 1, 2] as const;

let cluster: Cluster;
let rooms = 0;
const fresh = (prefix: string) => `${prefix}joined-${++rooms}`;
beforeAll(async () => {
  // A machine that is busy elsewhere may hold up an answer for longer than usual.
  const settings = { client_msg_rate_limit: '-1', presence_max_members: '1000', outbound_queue_size: '100000' };
  cluster = await Cluster.start({ settings });
}, START_TIMEOUT_MS);
afterAll(() => cluster.stop());

/** What goes on in a channel for as long as a test wants it to. */
class Bustle {
  /** Who has come and gone, and is there in the end. */
  readonly stayers: Client[] = [];
  /** The numbers whose publish has begun, and those that have been answered. */
  begun = 0;
  readonly published = new Set<number>();
  private isOver = false;
  private readonly doings: Promise<void>[] = [];

  constructor(private readonly channel: string) {}

  /** Users come and go on a node, always another one of `users`, and one stays in the end, or none. */
  churn(n: number, users: readonly string[], staysInTheEnd: boolean): this {
    return this.begin(async () => {
      const client = await cluster.node(n).connect();
      for (let i = 0; ; i++) {
        const user = users[i % users.length] as string;
        await client.subscribe(this.channel, { user_id: user, user_info: { of: user } });
        if (this.isOver && staysInTheEnd) {
          this.stayers.push(client);
          return;
        }
        if (this.isOver) return leave(client, this.channel);
        client.unsubscribe(this.channel);
      }
    });
  }

  /** Publishes numbers on all nodes, ten at a time and two times ten at once. */
  count(): this {
    for (const n of [...NODES, ...NODES]) this.begin(() => this.countOn(n));
    return this;
  }

  async end(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.doings);
  }

  private async countOn(n: number): Promise<void> {
    while (!this.isOver) {
      const numbers = Array.from({ length: 10 }, () => ++this.begun);
      const batch = numbers.map((number) => ({ channel: this.channel, name: 'n', data: String(number) }));
      const { status } = await cluster.node(n).http.post('/batch_events', { batch });
      if (status !== 200) throw new Error(`a batch was answered with ${status}`);
      for (const number of numbers) this.published.add(number);
    }
  }

  private begin(doing: () => Promise<void>): this {
    this.doings.push(doing());
    return this;
  }
}

/** The numbers that a client has heard since it was last acknowledged, the cached one first. */
const numbersHeard = (client: Client, channel: string) =>
  heard(client, channel).flatMap(({ event, data }) => (event === 'n' ? [Number(data)] : []));

async function usersOn(n: number, channel: string): Promise<string[]> {
  const { body } = await cluster.node(n).http.get(`/channels/${channel}/users`);
  return (body as { users: { id: string }[] }).users.map(({ id }) => id).sort();
}

const memberOf = (channel: string, id: string) => (channel.startsWith('presence-') ? { user_id: id } : undefined);

async function joiner(n: number, channel: string, id: string): Promise<Client> {
  const client = await cluster.node(n).connect();
  const member = memberOf(channel, id);
  const acknowledgement = await client.subscribe(channel, member);
  if (member !== undefined) expect(presenceIn(acknowledgement).ids).toContain(id);
  return client;
}

describe('somebody who joins while many come and go on all nodes', () => {
  it('is told of everybody once, and of nobody who is not there', async () => {
    const channel = fresh('presence-');
    const bustle = new Bustle(channel);
    // The same users on all nodes, so that some are there twice.
    const users = Array.from({ length: 8 }, (_, i) => `user-${i}`);
    for (const n of NODES) {
      bustle.churn(n, users.slice(n), true).churn(n, users.toReversed(), false);
      bustle.churn(n, [`only-${n}`], n === 0);
    }
    const joiners: Client[] = [];
    for (let i = 0; i < 24; i++) {
      const client = await joiner(i % 3, channel, `joiner-${i}`);
      joiners.push(client);
      if (i % 4 === 0) await client.subscribe(channel, { user_id: `joiner-${i}` });
    }
    await bustle.end();
    const everybody = [...joiners, ...bustle.stayers];
    await caughtUp(cluster.node(1).http, channel, everybody);

    const truth = await usersOn(0, channel);
    expect(truth).toEqual(expect.arrayContaining(['only-0', ...joiners.map((_, i) => `joiner-${i}`)]));
    expect(truth).not.toContain('only-1');
    for (const n of NODES) expect(await usersOn(n, channel)).toEqual(truth);
    for (const client of everybody) expect(membersKnownTo(client, channel)).toEqual(truth);
    for (const [i, client] of joiners.entries()) expect(transitions(client, channel)).not.toContain(`+joiner-${i}`);
    // The first one has seen more than those who joined behind it.
    expect(transitions(joiners[0] as Client, channel).length).toBeGreaterThan(joiners.length);
  });

  it('is told the same as the first one of its node', async () => {
    const channels = Array.from({ length: 12 }, () => fresh('presence-'));
    await Promise.all(
      channels.map(async (channel) => {
        const bustle = new Bustle(channel).churn(0, ['ada', 'bob', 'eve'], true).churn(0, ['bob', 'joe'], false);
        const other = await joiner(0, channel, 'other');
        await other.receive(ADDED);
        await other.receive(REMOVED);
        const first = await Promise.all([1, 2, 1].map((n, i) => joiner(n, channel, `first-${i}`)));
        const next = await Promise.all([1, 2].map((n) => joiner(n, channel, `next-${n}`)));
        await bustle.end();
        await caughtUp(cluster.node(2).http, channel, [other, ...first, ...next]);
        const truth = await usersOn(2, channel);
        expect(truth.length).toBe(7);
        for (const client of [other, ...first, ...next]) expect(membersKnownTo(client, channel)).toEqual(truth);
      }),
    );
  });
});

describe('somebody who joins a channel while numbers are published on all nodes', () => {
  const PREFIXES = ['', 'private-', 'cache-', 'private-cache-', 'presence-cache-'];
  const isCached = (channel: string) => channel.includes('cache-');

  it.each(PREFIXES)('of the kind %s… gets all of them from there on, each once and in order', async (prefix) => {
    const channel = fresh(prefix);
    const early = await joiner(0, channel, 'early');
    const bustle = new Bustle(channel).count();
    await early.receive('n');
    const joiners: Client[] = [];
    const moments: { readonly publishedBefore: Set<number>; readonly begunBefore: number }[] = [];
    for (let i = 0; i < 30; i++) {
      const publishedBefore = new Set(bustle.published);
      joiners.push(await joiner(i % 3, channel, `joiner-${i}`));
      moments.push({ publishedBefore, begunBefore: bustle.begun });
    }
    await joiners.at(-1)?.receive('n');
    await bustle.end();
    await caughtUp(cluster.node(0).http, channel, [early, ...joiners]);

    const all = numbersHeard(early, channel);
    expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: bustle.begun }, (_, i) => i + 1));
    for (const [i, client] of joiners.entries()) {
      const numbers = numbersHeard(client, channel);
      const first = all.indexOf(numbers[0] ?? 0);
      expect(numbers).toEqual(all.slice(first));
      const { publishedBefore, begunBefore } = moments[i] as (typeof moments)[number];
      // What was published behind the acknowledgement is not missing, and the cached one is not an old one.
      expect(all.slice(0, first).filter((number) => number > begunBefore)).toEqual([]);
      if (isCached(channel)) expect(all.slice(first + 1).filter((number) => publishedBefore.has(number))).toEqual([]);
      expect(client.count('pusher:cache_miss')).toBe(0);
    }
  });
});

describe('somebody who joins a presence channel with a cached event', () => {
  it('has the members and the numbers right, while both change on all nodes', async () => {
    const channel = fresh('presence-cache-');
    const early = await joiner(0, channel, 'early');
    const bustle = new Bustle(channel).count();
    for (const n of NODES) bustle.churn(n, [`a-${n}`, 'b'], n === 1);
    const joiners: Client[] = [];
    for (let i = 0; i < 12; i++) joiners.push(await joiner(i % 3, channel, `joiner-${i}`));
    await bustle.end();
    await caughtUp(cluster.node(2).http, channel, [early, ...joiners]);
    const truth = await usersOn(1, channel);
    const all = numbersHeard(early, channel);
    for (const client of joiners) {
      expect(membersKnownTo(client, channel)).toEqual(truth);
      const numbers = numbersHeard(client, channel);
      expect(numbers).toEqual(all.slice(all.indexOf(numbers[0] ?? 0)));
    }
  });
});
