import { expect } from 'vitest';
import type { TestGateway } from './gateway.js';

let channels = 0;

/** Fails unless a client that does everything right is served: greeted, subscribed, and reached by an event. */
export async function expectServed(gateway: TestGateway): Promise<void> {
  const channel = `served-${++channels}`;
  const client = await gateway.connect();
  await client.subscribe(channel);
  expect((await gateway.http.publish(channel, 'still', 'there')).status).toBe(200);
  expect(await client.receive('still')).toEqual({ event: 'still', channel, data: 'there' });
  await client.disconnect();
}

/** Resolves when the node has `count` connections left. */
export async function untilConnections(gateway: TestGateway, count: number): Promise<void> {
  while (gateway.hub.connectionCount > count) {
    await new Promise<void>((resolve) => {
      const stop = gateway.events.on('connectionClosed', () => {
        stop();
        resolve();
      });
    });
  }
}
