import { CHANNELS } from './channels.js';
import type { Publications } from './publications.js';
import type { World } from './world.js';

/** Reports what clients of a channel have got in different orders, and each publisher's events out of order. */
export function checkOrder({ clients, publications, journal }: World): void {
  for (const channel of CHANNELS) {
    /** From each event those that somebody got right after it. Clients agree when there is no way back. */
    const next = new Map<number, Map<number, number>>();
    for (const { id, views } of clients.values()) {
      const sequence = views.get(channel)?.sequence ?? [];
      sequence.forEach((number, index) => {
        const following = sequence[index + 1];
        if (following === undefined) return;
        const known = next.get(number) ?? new Map<number, number>();
        next.set(number, known.set(following, id));
      });
      for (const text of outOfOrder(sequence, publications))
        journal.violation('order', `client ${id}, ${channel}: ${text}`);
    }
    const cycle = findCycle(next);
    if (cycle !== undefined) journal.violation('order', `${channel}: ${describe(cycle, next)}`);
  }
}

/** The beginning of what is checked next time: what came last. */
export function forgetOrder({ clients }: World): void {
  for (const { views } of clients.values()) {
    for (const view of views.values()) view.sequence = view.sequence.slice(-1);
  }
}

function outOfOrder(sequence: readonly number[], publications: Publications): string[] {
  const found: string[] = [];
  const byPublisher = new Map<string, number[]>();
  for (const number of sequence) {
    const publisher = publications.publisherOf(number);
    if (publisher === undefined) continue;
    const before = byPublisher.get(publisher) ?? [];
    const late = before.find((other) => !publications.mayComeBefore(other, number));
    if (late !== undefined) found.push(`${number} after ${late}, both of ${publisher}`);
    byPublisher.set(publisher, [...before, number]);
  }
  return found;
}

/** Depth first, with a stack of its own: the way from an event back to itself. */
function findCycle(next: ReadonlyMap<number, ReadonlyMap<number, number>>): number[] | undefined {
  const done = new Set<number>();
  for (const start of next.keys()) {
    if (done.has(start)) continue;
    const way = [start];
    const onWay = new Set(way);
    const choices = [[...(next.get(start)?.keys() ?? [])]];
    while (way.length > 0) {
      const following = choices.at(-1)?.pop();
      if (following === undefined) {
        const finished = way.pop() as number;
        choices.pop();
        onWay.delete(finished);
        done.add(finished);
      } else if (onWay.has(following)) {
        return [...way.slice(way.indexOf(following)), following];
      } else if (!done.has(following)) {
        way.push(following);
        onWay.add(following);
        choices.push([...(next.get(following)?.keys() ?? [])]);
      }
    }
  }
  return undefined;
}

function describe(cycle: readonly number[], next: ReadonlyMap<number, ReadonlyMap<number, number>>): string {
  const steps = cycle.slice(1).map((number, index) => {
    const before = cycle[index] as number;
    return `${number} after ${before} (client ${next.get(before)?.get(number)})`;
  });
  return `different orders: ${steps.join(', ')}`;
}
