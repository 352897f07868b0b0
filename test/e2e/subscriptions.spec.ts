import { signChannel } from '@pogo/pusher-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client, Message } from '../support/client.js';
import { APP, TestGateway } from '../support/gateway.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start({ settings: { client_msg_rate_limit: '-1', max_channels_per_connection: '20' } });
});
afterAll(() => gateway.stop());

/** What a refused subscription looks like: both messages, and nothing else for that channel. */
async function refusalOf(client: Client, channel: string): Promise<Message['data']> {
  const error = await client.receive('pusher:error');
  expect(error.data).toEqual({ code: 4009, message: `Subscription to ${channel} rejected` });
  const refusal = await client.receive('pusher:subscription_error');
  expect(refusal.channel).toBe(channel);
  return refusal.data;
}

const subscribeTo = (channel: unknown, more: object = {}) => ({
  event: 'pusher:subscribe',
  data: { channel, ...more },
});

describe('subscriptions', () => {
  it('greets with a socket id and the activity timeout, as a JSON string', async () => {
    const client = await gateway.connect();
    const [greeting] = client.received;
    expect(Object.keys(greeting ?? {})).toEqual(['event', 'data']);
    const data = JSON.parse(String(greeting?.data)) as Record<string, unknown>;
    expect(data).toEqual({ socket_id: expect.stringMatching(/^\d+\.\d+$/) as string, activity_timeout: 120 });
  });

  it.each(['room', 'privateer', 'x-private-a', 'my-cache-room', 'privatecache-a', '__proto__', 'A_b-=@,.;9'])(
    'lets anybody into the public channel %s',
    async (channel) => {
      const client = await gateway.connect();
      expect(await client.subscribe(channel)).toEqual({
        event: 'pusher_internal:subscription_succeeded',
        channel,
        data: '{}',
      });
    },
  );

  it.each(['', null])('ignores auth %j where none is needed', async (auth) => {
    const client = await gateway.connect();
    client.send(subscribeTo('room', { auth, channel_data: auth }));
    await client.receive('pusher_internal:subscription_succeeded');
  });

  it.each(['private-a', 'private-encrypted-a', 'private-cache-a', 'private-encrypted-cache-a'])(
    'lets whom the app has signed into %s',
    async (channel) => {
      const client = await gateway.connect();
      await client.subscribe(channel);
    },
  );

  it.each([
    ['no signature', {}],
    ['an empty signature', { auth: '' }],
    ['another key', { auth: 'other:00' }],
    ['a signature of the right length', { auth: `${APP.key}:${'0'.repeat(64)}` }],
  ])('refuses a private channel with %s, and keeps the connection', async (_name, auth) => {
    const client = await gateway.connect();
    client.send(subscribeTo('private-a', auth));
    expect(await refusalOf(client, 'private-a')).toMatchObject({ type: 'AuthError', status: 401 });
    await client.subscribe('private-a');
  });

  it('refuses a signature that was made for another socket, channel or member', async () => {
    const client = await gateway.connect();
    const data = '{"user_id":"1"}';
    for (const [channel, auth, channelData] of [
      ['private-a', signChannel(APP, '1.1', 'private-a'), undefined],
      ['private-a', signChannel(APP, client.socketId, 'private-b'), undefined],
      ['presence-a', signChannel(APP, client.socketId, 'presence-a', '{"user_id":"2"}'), data],
    ] as const) {
      client.send(subscribeTo(channel, { auth, channel_data: channelData }));
      expect(await refusalOf(client, channel)).toMatchObject({ type: 'AuthError', status: 401 });
    }
  });

  it.each(['not a name', 'ü', 'a/b', '#other-a', '#server-to-user-', 'a'.repeat(201)])(
    'refuses the channel name %j as invalid',
    async (channel) => {
      const client = await gateway.connect();
      client.send(subscribeTo(channel));
      expect(await refusalOf(client, channel)).toMatchObject({ type: 'InvalidChannel', status: 400 });
    },
  );

  it('acknowledges a channel again to whom is in it already, and counts it once', async () => {
    const client = await gateway.connect();
    await client.subscribe('private-again');
    await client.subscribe('private-again');
    const { body } = await gateway.http.get('/channels/private-again', { info: 'subscription_count' });
    expect(body).toEqual({ occupied: true, subscription_count: 1 });
    client.send(subscribeTo('private-again', { auth: 'wrong' }));
    expect(await refusalOf(client, 'private-again')).toMatchObject({ type: 'AuthError' });
  });

  it('stops delivering after unsubscribe, and says nothing about it', async () => {
    const client = await gateway.connect();
    await client.subscribe('room');
    client.unsubscribe('room');
    client.unsubscribe('never-subscribed');
    await client.settle();
    await gateway.http.publish('room', 'missed', 'x');
    await client.subscribe('room');
    await gateway.http.publish('room', 'seen', 'x');
    await client.receive('seen');
    expect(client.received.map(({ event }) => event).filter((event) => event !== 'pusher:pong')).toEqual([
      'pusher:connection_established',
      'pusher_internal:subscription_succeeded',
      'pusher_internal:subscription_succeeded',
      'seen',
    ]);
  });

  it('refuses one channel too many on a connection', async () => {
    const client = await gateway.connect();
    for (let i = 0; i < 20; i++) await client.subscribe(`room-${i}`);
    client.send(subscribeTo('room-20'));
    expect(await refusalOf(client, 'room-20')).toMatchObject({ type: 'LimitReached', status: 403 });
    client.unsubscribe('room-0');
    await client.subscribe('room-20');
  });

  it('sends an event to subscribers as it was published', async () => {
    const [a, b] = [await gateway.connect(), await gateway.connect()];
    await a.subscribe('room');
    await b.subscribe('other');
    const data = '{"text":"\\u00fc \\" ü €"}';
    await gateway.http.publish(['room', 'elsewhere'], 'App\\Events\\Said', data);
    expect(await a.receive('App\\Events\\Said')).toEqual({ event: 'App\\Events\\Said', channel: 'room', data });
    await b.settle();
    expect(b.count('App\\Events\\Said')).toBe(0);
  });

  it.each([1, 125, 126, 65_535, 65_536, 262_144])('delivers data of %i bytes whole', async (bytes) => {
    const client = await gateway.connect();
    await client.subscribe('sizes');
    const data = 'x'.repeat(bytes);
    expect((await gateway.http.publish('sizes', 'big', data)).status).toBe(200);
    expect((await client.receive('big')).data).toBe(data);
  });

  it.each(['cache-news', 'private-cache-news', 'private-encrypted-cache-news', 'presence-cache-news'])(
    'sends a late subscriber of %s its last event, or a miss',
    async (channel) => {
      const member = channel.startsWith('presence-') ? { user_id: '1' } : undefined;
      const [early, late] = [await gateway.connect(), await gateway.connect()];
      await early.subscribe(channel, member);
      await early.receive((m) => m.event === 'pusher:cache_miss' && m.channel === channel);
      await gateway.http.publish(channel, 'headline', '1');
      await late.subscribe(channel, member);
      expect(await late.receive('headline')).toEqual({ event: 'headline', channel, data: '1' });
      await late.settle();
      expect([late.count('headline'), late.count('pusher:cache_miss')]).toEqual([1, 0]);
    },
  );

  it('does not keep client events for late subscribers', async () => {
    const channel = 'private-cache-whispers';
    const [early, other, late] = [await gateway.connect(), await gateway.connect(), await gateway.connect()];
    for (const client of [early, other]) await client.subscribe(channel);
    early.send({ event: 'client-typing', channel, data: 1 });
    await other.receive('client-typing');
    await late.subscribe(channel);
    await late.receive('pusher:cache_miss');
  });

  it('says what is wrong before it names the channel', async () => {
    const client = await gateway.connect();
    client.send(subscribeTo('private-a'));
    await client.receive('pusher:subscription_error');
    expect(client.received.map(({ event }) => event).slice(1)).toEqual(['pusher:error', 'pusher:subscription_error']);
  });
});
