import { bucketOf } from '@pogo/hub/testing';
import { dataOf, type Client, type Message } from './client.js';
import type { Cluster } from './cluster.js';
import { APP } from './gateway.js';
import { becomes } from './roster-watch.js';

export const WATCHLIST_EVENTS = 'pusher_internal:watchlist_events';
export const SUBSCRIPTION_COUNT = 'pusher_internal:subscription_count';

interface WatchlistEvent {
  readonly name: 'online' | 'offline';
  readonly user_ids: readonly string[];
}

/** What a client was told of those whom it watches, `+user` and `-user` in order. */
export function watched(client: Client): string[] {
  return client.received.filter(({ event }) => event === WATCHLIST_EVENTS).flatMap(wordsOf);
}

/** Resolves when the client was told of so many comings and goings in all. */
export async function watches(client: Client, words: number): Promise<string[]> {
  while (watched(client).length < words) await client.receive(WATCHLIST_EVENTS);
  return watched(client);
}

/**
 * Signs in, and resolves when the whole cluster knows. The acknowledgement does not say so, because the directory is told
 * behind it; nor does a watchlist, when the user is online somewhere else as well.
 */
export async function signInEverywhere({ redis }: Cluster, client: Client, id: string): Promise<void> {
  await client.signin({ id });
  const key = `{pogo:${APP.id}:u${bucketOf(id)}}:s:${id}`;
  await becomes(15, 1, () => redis.inspector.hexists(key, client.socketId));
}

function wordsOf(message: Message): string[] {
  const { events } = dataOf(message) as { events: readonly WatchlistEvent[] };
  return events.flatMap(({ name, user_ids: ids }) => ids.map((id) => (name === 'online' ? `+${id}` : `-${id}`)));
}

/** The numbers that a client was told of a channel, in order. */
export function countsOf(client: Client, channel: string): number[] {
  const told = client.received.filter((m) => m.event === SUBSCRIPTION_COUNT && m.channel === channel);
  return told.map((message) => (dataOf(message) as { subscription_count: number }).subscription_count);
}

/** Resolves when the client has been told so many numbers of the channel in all. */
export async function hasCounts(client: Client, channel: string, length: number): Promise<void> {
  while (countsOf(client, channel).length < length) await client.receive(SUBSCRIPTION_COUNT);
}

/** Resolves when the client has been told `count` of the channel, or was before. */
export async function hasCount(client: Client, channel: string, count: number): Promise<void> {
  while (!countsOf(client, channel).includes(count)) await client.receive(SUBSCRIPTION_COUNT);
}

/** Resolves when `count` is the last that the client was told. */
export async function endsWithCount(client: Client, channel: string, count: number): Promise<void> {
  while (countsOf(client, channel).at(-1) !== count) await client.receive(SUBSCRIPTION_COUNT);
}
