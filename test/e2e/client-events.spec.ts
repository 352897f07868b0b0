import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../support/client.js';
import { TestGateway } from '../support/gateway.js';
import { StillClock } from '../support/still-clock.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start({ settings: { max_event_bytes: '100' } });
});
afterAll(() => gateway.stop());

async function pair(channel: string): Promise<[Client, Client]> {
  const clients: [Client, Client] = [await gateway.connect(), await gateway.connect()];
  const isPresence = channel.startsWith('presence-');
  for (const [i, client] of clients.entries()) {
    await client.subscribe(channel, isPresence ? { user_id: `u${i}` } : undefined);
  }
  return clients;
}

const errorOf = async (client: Client) => (await client.receive('pusher:error')).data;

describe('client events', () => {
  it('reach the others of a private channel as they were sent', async () => {
    const [a, b] = await pair('private-a');
    const texts: string[] = [];
    b.socket.on('message', (data) => texts.push(String(data)));
    a.send('{"event":"client-typing","channel":"private-a","data":{"n":12345678901234567890,"x":1.0}}');
    await b.receive('client-typing');
    expect(texts).toEqual([
      '{"event":"client-typing","channel":"private-a","data":{"n":12345678901234567890,"x":1.0}}',
    ]);
    await a.settle();
    expect(a.count('client-typing')).toBe(0);
  });

  it('carry the user id on presence channels', async () => {
    const [a, b] = await pair('presence-a');
    a.send({ event: 'client-x', channel: 'presence-a', data: 'text' });
    expect(await b.receive('client-x')).toEqual({
      event: 'client-x',
      channel: 'presence-a',
      data: 'text',
      user_id: 'u0',
    });
  });

  it.each(['room', 'private-encrypted-a', 'cache-a'])('are refused on %s', async (channel) => {
    const [a, b] = await pair(channel);
    a.send({ event: 'client-x', channel, data: 1 });
    expect(await errorOf(a)).toMatchObject({ code: 4301 });
    await b.settle();
    expect(b.count('client-x')).toBe(0);
  });

  it('are refused from somebody who is not in the channel', async () => {
    const [, b] = await pair('private-a');
    const outsider = await gateway.connect();
    outsider.send({ event: 'client-x', channel: 'private-a', data: 1 });
    expect(await errorOf(outsider)).toEqual({
      code: 4301,
      message: 'The client is not a member of the specified channel.',
    });
    await b.settle();
    expect(b.count('client-x')).toBe(0);
  });

  it('are refused with the limit when the name or the data is too long', async () => {
    const [a] = await pair('private-a');
    a.send({ event: `client-${'x'.repeat(200)}`, channel: 'private-a', data: 1 });
    expect(await errorOf(a)).toMatchObject({ code: 4301, message: expect.stringContaining('200 bytes') as string });
    a.send({ event: 'client-x', channel: 'private-a', data: 'x'.repeat(100) });
    expect(await errorOf(a)).toMatchObject({ code: 4301, message: expect.stringContaining('100 bytes') as string });
  });

  it('are refused when the app does not have them, and the connection stays', async () => {
    const app = { id: '2', key: 'quiet', secret: 'secret', clientEvents: false };
    const quiet = await TestGateway.start({ apps: [app] });
    try {
      const client = quiet.dial(quiet.url('quiet'), { app });
      await client.established();
      await client.subscribe('private-a');
      client.send({ event: 'client-x', channel: 'private-a', data: 1 });
      expect(await errorOf(client)).toEqual({
        code: 4301,
        message: 'The app does not have client messaging enabled.',
      });
      await client.subscribe('room');
    } finally {
      await quiet.stop();
    }
  });

  it('over the rate are rejected, and the connection stays', async () => {
    const [a, b] = await pair('private-rate');
    // The bucket's clock stands still: each of them has one token less than its burst of 20, for its subscription.
    const clock = new StillClock();
    for (let i = 0; i < 40; i++) a.send({ event: 'client-x', channel: 'private-rate', data: i });
    await a.settle();
    const rejected = a.received.filter(({ event }) => event === 'pusher:error');
    clock.goOn();
    expect(rejected.length).toBe(21);
    for (const { data } of rejected) {
      expect(data).toEqual({ code: 4301, message: 'Client event rejected due to rate limit' });
    }
    await b.settle();
    expect(b.count('client-x')).toBe(19);
  });
});
