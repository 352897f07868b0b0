import { afterEach, describe, expect, it } from 'vitest';
import { seededRandom } from './testing/chaos.js';
import { hangUp, subscribe, TestCluster, type FakeClient } from './testing/hub-harness.js';
import { eventually } from './testing/test-api.js';

const CHANNEL = 'presence-room';
const USERS = ['u0', 'u1', 'u2', 'u3'];

let cluster: TestCluster;
afterEach(() => cluster.close());

interface Guest extends FakeClient {
  readonly userId: string;
}

/** Members as a client knows them: the list of its last acknowledgement and every change since. */
function membersSeenBy({ socket }: FakeClient): string[] {
  const members = new Set<string>();
  for (const { event, data } of socket.events) {
    if (event === 'pusher_internal:subscription_succeeded') {
      members.clear();
      const { presence } = JSON.parse(String(data)) as { presence: { ids: string[] } };
      for (const id of presence.ids) members.add(id);
    } else if (event === 'pusher_internal:member_added') {
      const { user_id: id } = JSON.parse(String(data)) as { user_id: string };
      expect(members, `${id} was announced although known`).not.toContain(id);
      members.add(id);
    } else if (event === 'pusher_internal:member_removed') {
      const { user_id: id } = JSON.parse(String(data)) as { user_id: string };
      expect(members, `${id} was removed although unknown`).toContain(id);
      members.delete(id);
    }
  }
  return [...members].sort();
}

describe('presence on three nodes with late, reordered, failing calls', () => {
  it.each([1, 2, 3, 4, 5])('shows every client the truth, whoever comes and goes (seed %i)', async (seed) => {
    cluster = new TestCluster({ nodes: 3, seed });
    const random = seededRandom(seed);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
    const observers = cluster.nodes.map((node): Guest => ({ ...node.connect(), userId: 'observer' }));
    await Promise.all(observers.map((guest) => subscribe(guest, CHANNEL, { userId: guest.userId })));
    let present: Guest[] = [];
    const work: Promise<unknown>[] = [];
    for (let step = 0; step < 150; step++) {
      const dice = random();
      if (dice < 0.5 || present.length === 0) {
        const guest = { ...pick(cluster.nodes).connect(), userId: pick(USERS) };
        present.push(guest);
        work.push(subscribe(guest, CHANNEL, { userId: guest.userId }));
      } else {
        const guest = pick(present);
        present = present.filter((other) => other !== guest);
        if (dice < 0.8) hangUp(guest);
        else work.push(guest.node.hub.unsubscribe(guest.connection, CHANNEL));
      }
      if (random() < 0.3) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(work);
    const truth = [...new Set(['observer', ...present.map(({ userId }) => userId)])].sort();
    await eventually(async () => {
      const state = await cluster.directory.findChannel('app', CHANNEL, {});
      return state.subscriptionCount === present.length + observers.length;
    });
    await Promise.all(
      [...observers, ...present].map((guest) => eventually(() => membersSeenBy(guest).join() === truth.join())),
    );
    const { members } = await cluster.directory.findChannel('app', CHANNEL, { members: true });
    expect(members?.map(({ userId }) => userId).sort()).toEqual(truth);
  });
});
