import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../support/client.js';
import { TestGateway } from '../support/gateway.js';
import type { HttpApi } from '../support/http-api.js';

let gateway: TestGateway;
let http: HttpApi;
beforeAll(async () => {
  gateway = await TestGateway.start();
  http = gateway.http;
});
afterAll(() => gateway.stop());

/** A client that has subscribed to all of `channels`. */
async function subscriber(...channels: string[]): Promise<Client> {
  const client = await gateway.connect();
  for (const channel of channels) {
    await client.subscribe(channel, channel.startsWith('presence-') ? { user_id: client.socketId } : undefined);
  }
  return client;
}

describe('Publishing one event', () => {
  it('to one channel answers {} and reaches its subscribers, and nobody else', async () => {
    const [subscribed, other] = await Promise.all([subscriber('news'), subscriber('sport')]);
    const { status, body, headers } = await http.publish('news', 'my-event', '{"some":"data"}');
    expect([status, body]).toEqual([200, {}]);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(await subscribed.receive('my-event')).toEqual({
      event: 'my-event',
      channel: 'news',
      data: '{"some":"data"}',
    });
    expect((await other.settle()).filter(({ event }) => event === 'my-event')).toEqual([]);
  });

  it('to many channels reaches each of them', async () => {
    const client = await subscriber('many-1', 'private-many-2', 'presence-many-3');
    const { status, body } = await http.publish(['many-1', 'private-many-2', 'presence-many-3'], 'my-event', 'x');
    expect([status, body]).toEqual([200, {}]);
    await client.settle();
    const got = client.received.filter(({ event }) => event === 'my-event');
    expect(got.map(({ channel }) => channel)).toEqual(['many-1', 'private-many-2', 'presence-many-3']);
  });

  it('to channel and channels reaches the union, duplicates once', async () => {
    const client = await subscriber('union-1', 'union-2', 'union-3');
    const channels = ['union-1', 'union-2', 'union-1', 'union-3', 'union-2'];
    const answer = await http.post('/events', { name: 'my-event', data: 'x', channel: 'union-3', channels });
    expect([answer.status, answer.body]).toEqual([200, {}]);
    await client.settle();
    const got = client.received.filter(({ event }) => event === 'my-event').map(({ channel }) => channel);
    expect(got.sort()).toEqual(['union-1', 'union-2', 'union-3']);
  });

  it('to channel and an empty list of channels reaches the one', async () => {
    const client = await subscriber('lonely');
    const answer = await http.post('/events', { name: 'my-event', data: 'x', channel: 'lonely', channels: [] });
    expect(answer.status).toBe(200);
    expect(await client.receive('my-event')).toMatchObject({ channel: 'lonely' });
  });

  it('leaves out the connection with the given socket_id, and only that one', async () => {
    const [sender, receiver] = await Promise.all([subscriber('chat'), subscriber('chat')]);
    const { status } = await http.publish('chat', 'my-event', 'x', { socket_id: sender.socketId });
    expect(status).toBe(200);
    await receiver.receive('my-event');
    await sender.settle();
    expect(sender.count('my-event')).toBe(0);
  });

  it.each([['99.99'], [null], ['']])('with the socket_id %j of nobody is no error', async (socketId) => {
    const client = await subscriber('chat-2');
    const { status, body } = await http.publish('chat-2', 'my-event', 'x', { socket_id: socketId });
    expect([status, body]).toEqual([200, {}]);
    await client.receive('my-event');
  });

  it('to a channel that nobody is in is no error', async () => {
    const { status, body } = await http.publish('nobody-here', 'my-event', 'x');
    expect([status, body]).toEqual([200, {}]);
  });

  it.each<[what: string, sent: unknown, received: string]>([
    ['text that is no JSON', 'just text', 'just text'],
    ['JSON text', '{"a":1.0}', '{"a":1.0}'],
    ['an object', { a: [1, 'é'] }, '{"a":[1,"é"]}'],
    ['an array', [1, 2], '[1,2]'],
    ['a number', 0, '0'],
    ['a boolean', false, 'false'],
    ['a blank', ' ', ' '],
    ['an empty object', {}, '{}'],
    ['an empty array', [], '[]'],
  ])('may have %s as data, which arrives as text', async (_what, sent, received) => {
    const client = await subscriber('data');
    expect((await http.publish('data', 'my-event', sent)).status).toBe(200);
    expect(await client.receive('my-event')).toMatchObject({ data: received });
  });

  it.each(['App\\Events\\Order "Shipped"', 'client-x', '__proto__', 'pusher-x', 'é'])(
    'may have the name %s',
    async (name) => {
      const client = await subscriber('names');
      expect((await http.publish('names', name, 'x')).status).toBe(200);
      expect(await client.receive(name)).toEqual({ event: name, channel: 'names', data: 'x' });
    },
  );

  it('to a signed-in user reaches that user', async () => {
    const client = await gateway.connect();
    await client.signin({ id: 'user @ 7' });
    await client.subscribe('#server-to-user-user @ 7');
    expect((await http.publish('#server-to-user-user @ 7', 'my-event', 'x')).status).toBe(200);
    expect(await client.receive('my-event')).toMatchObject({ channel: '#server-to-user-user @ 7', data: 'x' });
  });
});

describe('Publishing with info', () => {
  it('answers what was asked for, channel by channel, and leaves out what does not apply', async () => {
    await Promise.all([subscriber('info', 'presence-info'), subscriber('presence-info')]);
    const channels = ['info', 'presence-info', 'private-info-empty'];
    const { status, body } = await http.publish(channels, 'my-event', 'x', { info: 'user_count,subscription_count' });
    expect([status, body]).toEqual([
      200,
      {
        channels: {
          info: { subscription_count: 1 },
          'presence-info': { user_count: 2, subscription_count: 2 },
          'private-info-empty': { subscription_count: 0 },
        },
      },
    ]);
  });

  it('leaves out attributes that are unknown', async () => {
    const { body } = await http.publish('info-2', 'my-event', 'x', { info: 'subscription_count, nonsense' });
    expect(body).toEqual({ channels: { 'info-2': { subscription_count: 0 } } });
  });

  it('answers an empty object for a channel when nothing applies', async () => {
    const { body } = await http.publish('info-3', 'my-event', 'x', { info: 'user_count' });
    expect(body).toEqual({ channels: { 'info-3': {} } });
  });

  it('keeps a channel called __proto__', async () => {
    const { body } = await http.publish('__proto__', 'my-event', 'x', { info: 'subscription_count' });
    expect(Object.entries((body as { channels: object }).channels)).toEqual([['__proto__', { subscription_count: 0 }]]);
  });
});

describe('Publishing a batch', () => {
  it('reaches every channel, in order for each, and answers {}', async () => {
    const client = await subscriber('batch-1', 'batch-2');
    const batch = ['batch-1', 'batch-2', 'batch-1'].map((channel, i) => ({
      channel,
      name: `event-${i}`,
      data: `${i}`,
    }));
    const { status, body } = await http.post('/batch_events', { batch });
    expect([status, body]).toEqual([200, {}]);
    const messages = await client.settle();
    expect(messages.filter(({ channel, event }) => channel === 'batch-1' && event.startsWith('event-'))).toEqual([
      { event: 'event-0', channel: 'batch-1', data: '0' },
      { event: 'event-2', channel: 'batch-1', data: '2' },
    ]);
    expect(messages.filter(({ channel, event }) => channel === 'batch-2' && event.startsWith('event-'))).toEqual([
      { event: 'event-1', channel: 'batch-2', data: '1' },
    ]);
  });

  it('with info anywhere answers one object per event, index-aligned', async () => {
    await subscriber('batch-3', 'presence-batch-4');
    const batch = [
      { channel: 'batch-3', name: 'a', data: 'x', info: 'subscription_count' },
      { channel: 'batch-3', name: 'b', data: 'x' },
      { channel: 'presence-batch-4', name: 'c', data: 'x', info: 'user_count,subscription_count' },
    ];
    const { status, body } = await http.post('/batch_events', { batch });
    expect([status, body]).toEqual([
      200,
      { batch: [{ subscription_count: 1 }, {}, { user_count: 1, subscription_count: 1 }] },
    ]);
  });

  it('leaves out a socket_id event by event', async () => {
    const client = await subscriber('batch-5');
    const batch = [
      { channel: 'batch-5', name: 'without-me', data: 'x', socket_id: client.socketId },
      { channel: 'batch-5', name: 'with-me', data: 'x' },
    ];
    expect((await http.post('/batch_events', { batch })).status).toBe(200);
    await client.receive('with-me');
    expect(client.count('without-me')).toBe(0);
  });

  it('that is empty answers {}', async () => {
    const { status, body } = await http.post('/batch_events', { batch: [] });
    expect([status, body]).toEqual([200, {}]);
  });
});

describe('Terminating the connections of a user', () => {
  it('answers {} and closes those that signed in as that user and those present under the id', async () => {
    const [signedIn, present, other] = await Promise.all([gateway.connect(), gateway.connect(), gateway.connect()]);
    await Promise.all([signedIn.signin({ id: 'a/b ü' }), other.signin({ id: 'a' })]);
    await present.subscribe('presence-room', { user_id: 'a/b ü' });
    const { status, body } = await http.post(`/users/${encodeURIComponent('a/b ü')}/terminate_connections`, '');
    expect([status, body]).toEqual([200, {}]);
    for (const client of [signedIn, present]) {
      expect(await client.receive('pusher:error')).toEqual({
        event: 'pusher:error',
        data: { code: 4009, message: 'You got disconnected by the app.' },
      });
      expect(await client.closing()).toMatchObject({ code: 4009 });
    }
    await other.settle();
    expect(other.count('pusher:error')).toBe(0);
  });

  it('that nobody is, with whatever body, answers {}', async () => {
    for (const text of ['', '{}', 'not json']) {
      const { status, body } = await http.post('/users/nobody/terminate_connections', text);
      expect([status, body]).toEqual([200, {}]);
    }
  });
});
