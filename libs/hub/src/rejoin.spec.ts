import { describe, expect, it } from 'vitest';
import { PublishStatus } from './publish-status.js';
import { receives, subscribe, TestCluster, type FakeClient } from './testing/hub-harness.js';

/** Data of the events that the client got. The last one before an acknowledgement is shown with it as well, and may come early by that. */
function dataOf({ socket }: FakeClient): string[] {
  const data = socket.events.filter(({ event }) => event === 'e').map((event) => event.data as string);
  return data.filter((each, i) => data.lastIndexOf(each) === i);
}

describe('Subscribing again to a cache channel', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'loses none of the events that are published meanwhile, and keeps their order (seed %i)',
    async (seed) => {
      const cluster = new TestCluster({ nodes: 2, seed });
      const client = cluster.node(0).connect();
      await subscribe(client, 'cache-room');
      const accepted: string[] = [];
      const publishing = (async () => {
        for (let i = 0; i < 60; i++) {
          const status = await cluster.node(1).hub.publish('app', 'cache-room', 'e', String(i));
          if (status === PublishStatus.ok) accepted.push(String(i));
        }
      })();
      for (let i = 0; i < 12; i++) await subscribe(client, 'cache-room');
      await publishing;
      while ((await cluster.node(1).hub.publish('app', 'cache-room', 'last', '')) !== PublishStatus.ok);
      await receives(client, 'last');
      expect(accepted.length).toBeGreaterThan(20);
      const received = dataOf(client).filter((data) => accepted.includes(data));
      expect(received).toEqual(accepted);
      await cluster.close();
    },
  );

  it('shows the last event again, right after the acknowledgement', async () => {
    const cluster = new TestCluster();
    const client = cluster.node(0).connect();
    await subscribe(client, 'cache-room');
    await cluster.node(0).hub.publish('app', 'cache-room', 'e', '1');
    await receives(client, 'e');
    await subscribe(client, 'cache-room');
    expect(client.socket.names.slice(-3)).toEqual(['e', 'pusher_internal:subscription_succeeded', 'e']);
    await cluster.close();
  });
});
