import { randomUUID } from 'node:crypto';
import { dataOf, type Client, type Message } from './client.js';
import type { Cluster } from './cluster.js';
import type { HttpApi } from './http-api.js';

export const ACKNOWLEDGED = 'pusher_internal:subscription_succeeded';
export const ADDED = 'pusher_internal:member_added';
export const REMOVED = 'pusher_internal:member_removed';
/** For `expect.poll`, where nothing tells when it has happened. */
export const PATIENTLY = { timeout: 15_000, interval: 20 };
const MARK = 'observer-mark-';
let marks = 0;

/** A client on each of a cluster's three nodes. */
export function connectToEach(cluster: Cluster): Promise<[Client, Client, Client]> {
  return Promise.all([cluster.node(0).connect(), cluster.node(1).connect(), cluster.node(2).connect()]);
}

/**
 * Resolves when everything that was said in `channel` before now has reached `clients`: a channel has one order, so
 * what is not there behind the mark was not sent.
 */
export async function caughtUp(http: HttpApi, channel: string, clients: readonly Client[]): Promise<void> {
  const mark = `${MARK}${++marks}`;
  const { status } = await http.publish(channel, mark, '1');
  if (status !== 200) throw new Error(`the mark was answered with ${status}`);
  await Promise.all(clients.map((client) => client.receive(mark)));
}

/** Unsubscribes, and resolves when the whole cluster knows. */
export async function leave(client: Client, channel: string): Promise<void> {
  client.unsubscribe(channel);
  // Acknowledged behind the departure.
  const elsewhere = randomUUID();
  await client.subscribe(elsewhere);
  client.unsubscribe(elsewhere);
}

/** What a client has heard in a channel since it was acknowledged, the last time if it has been in it before. */
export function heard(client: Client, channel: string): Message[] {
  const messages = client.received.filter((m) => m.channel === channel && !m.event.startsWith(MARK));
  return messages.slice(messages.findLastIndex(({ event }) => event === ACKNOWLEDGED) + 1);
}

/** Comings and goings among it, as `+id` and `-id`. */
export function transitions(client: Client, channel: string): string[] {
  return heard(client, channel).flatMap((message) => {
    if (message.event !== ADDED && message.event !== REMOVED) return [];
    const { user_id: id } = dataOf(message) as { user_id: string };
    return [`${message.event === ADDED ? '+' : '-'}${id}`];
  });
}

interface Presence {
  readonly count: number;
  readonly ids: readonly string[];
  readonly hash: Readonly<Record<string, unknown>>;
}

/** The members that an acknowledgement names. */
export function presenceIn(acknowledgement: Message): Presence {
  return (dataOf(acknowledgement) as { presence: Presence }).presence;
}

/** The members as a client knows them, sorted. @throws Error when it was told what cannot be. */
export function membersKnownTo(client: Client, channel: string): string[] {
  const acknowledgement = client.received.findLast((m) => m.event === ACKNOWLEDGED && m.channel === channel);
  if (acknowledgement === undefined) throw new Error(`it is not in ${channel}`);
  const { count, ids, hash } = presenceIn(acknowledgement);
  const members = new Set(ids);
  if (members.size !== ids.length || count !== ids.length || Object.keys(hash).length !== ids.length)
    throw new Error(`the acknowledgement contradicts itself: ${String(acknowledgement.data)}`);
  for (const change of transitions(client, channel)) {
    const id = change.slice(1);
    const isNews = change.startsWith('+') ? !members.has(id) : members.has(id);
    if (!isNews) throw new Error(`${change} in ${channel} is no news`);
    if (change.startsWith('+')) members.add(id);
    else members.delete(id);
  }
  return [...members].sort();
}
