import type { HttpApi } from '../support/http-api.js';
import { CHANNELS, isPresence } from './channels.js';
import { difference, type Truth } from './truth.js';

interface Summary {
  readonly subscription_count?: number;
  readonly user_count?: number;
}

/** What is wrong with what the HTTP API of one node says. */
export async function wrongWithServer(node: number, http: HttpApi, truth: Truth): Promise<string[]> {
  const ask = async (path: string, query: Record<string, string> = {}): Promise<unknown> => {
    const { status, body } = await http.get(path, query);
    if (status !== 200) throw new Error(`node ${node} answered ${status} to GET ${path}: ${JSON.stringify(body)}`);
    return body;
  };
  const counts = (channels: readonly string[]) =>
    [...channels].sort().map((channel) => [channel, truth.subscribers.get(channel)?.length ?? 0]);
  try {
    const problems: string[] = [];
    const { connections } = (await ask('/connections')) as { connections: number };
    problems.push(...difference(`node ${node}, connections`, connections, truth.living.length));

    const all = (await ask('/channels', { info: 'subscription_count' })) as { channels: Record<string, Summary> };
    const listed = Object.entries(all.channels).map(([channel, info]) => [channel, info.subscription_count]);
    problems.push(...difference(`node ${node}, list`, listed.sort(), counts([...truth.subscribers.keys()])));

    const query = { filter_by_prefix: 'presence-', info: 'user_count' };
    const presence = (await ask('/channels', query)) as { channels: Record<string, Summary> };
    const users = Object.entries(presence.channels).map(([channel, info]) => [channel, info.user_count]);
    const wanted = [...truth.subscribers.keys()].filter(isPresence).sort();
    const userCounts = wanted.map((channel) => [channel, truth.membersOf(channel).length]);
    problems.push(...difference(`node ${node}, presence list`, users.sort(), userCounts));

    const each = CHANNELS.map(async (channel) => {
      const subscribers = truth.subscribers.get(channel)?.length ?? 0;
      const members = truth.membersOf(channel);
      const info = isPresence(channel) ? 'subscription_count,user_count' : 'subscription_count';
      const state = (await ask(`/channels/${channel}`, { info })) as Summary & { occupied: boolean };
      const is = [state.occupied, state.subscription_count, state.user_count];
      const should = [subscribers > 0, subscribers, isPresence(channel) ? members.length : undefined];
      const found = difference(`node ${node}, ${channel}`, is, should);
      if (!isPresence(channel)) return found;
      const { users: list } = (await ask(`/channels/${channel}/users`)) as { users: { id: string }[] };
      return [...found, ...difference(`node ${node}, users of ${channel}`, list.map(({ id }) => id).sort(), members)];
    });
    return [...problems, ...(await Promise.all(each)).flat()];
  } catch (error) {
    return [(error as Error).message];
  }
}
