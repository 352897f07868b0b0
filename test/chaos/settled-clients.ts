import { isPresence } from './channels.js';
import { difference, type Truth } from './truth.js';
import type { World } from './world.js';

/** What is wrong with what clients have been told. */
export function wrongWithClients(world: World, truth: Truth): string[] {
  const problems: string[] = [];
  for (const client of world.clients.values()) {
    if (client.isOver) continue;
    const unanswered = client.unanswered.map(({ channel }) => channel);
    if (client.isWaiting) problems.push(`client ${client.id} waits for answers, of ${unanswered.join() || 'others'}`);
  }
  for (const { id, views, isSignedIn, online } of truth.living) {
    for (const { channel, members, count, isWanted } of views.values()) {
      if (!isWanted) continue;
      if (!isPresence(channel)) {
        const subscribers = truth.subscribers.get(channel)?.length ?? 0;
        problems.push(...difference(`client ${id}, number of ${channel}`, count, subscribers));
      } else if (members !== undefined) {
        problems.push(...difference(`client ${id}, ${channel}`, [...members].sort(), truth.membersOf(channel)));
      }
    }
    if (isSignedIn) {
      problems.push(...difference(`client ${id}, online`, [...(online ?? [])].sort(), [...truth.online.keys()].sort()));
    }
  }
  return problems;
}
