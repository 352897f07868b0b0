import Pusher from 'pusher';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { APP, TestGateway } from '../support/gateway.js';
import { WebhookEndpoint } from '../support/webhook-endpoint.js';

let endpoint: WebhookEndpoint;
let gateway: TestGateway;
beforeEach(async () => {
  endpoint = await WebhookEndpoint.start();
});
afterEach(async () => {
  await gateway.stop();
  await endpoint.stop();
});

const start = async (settings: Record<string, string> = {}) =>
  (gateway = await TestGateway.start({ settings: { webhook_url: endpoint.url, ...settings } }));

/** What the official library makes of a webhook. */
function validated(index: number, secret: string = APP.secret) {
  const { headers, body } = endpoint.taken[index] ?? { headers: {}, body: '' };
  const pusher = new Pusher({ appId: APP.id, key: APP.key, secret, host: 'localhost' });
  return pusher.webhook({ headers, rawBody: body });
}

describe('Webhooks', () => {
  it('tell of channels and members, and the official library believes them', async () => {
    await start();
    const [ada, bob] = [await gateway.connect(), await gateway.connect()];
    await ada.subscribe('presence-room', { user_id: 'ada' });
    await bob.subscribe('presence-room', { user_id: 'bob' });
    await ada.subscribe('news');
    await endpoint.has('channel_occupied news');
    bob.unsubscribe('presence-room');
    ada.unsubscribe('news');
    await endpoint.has('channel_vacated news');
    await endpoint.has('member_removed presence-room bob');
    expect(endpoint.words.filter((word) => word.includes('presence-room'))).toEqual([
      'channel_occupied presence-room',
      'member_added presence-room ada',
      'member_added presence-room bob',
      'member_removed presence-room bob',
    ]);
    for (const index of endpoint.taken.keys()) {
      const webhook = validated(index);
      expect(webhook.isValid()).toBe(true);
      expect(webhook.getEvents()).toEqual(endpoint.taken[index]?.events);
      expect(Math.abs(Number(webhook.getTime()) - Date.now())).toBeLessThan(60_000);
      expect(validated(index, 'another').isValid()).toBe(false);
      expect(endpoint.taken[index]?.headers['x-pusher-key']).toBe(APP.key);
      expect(endpoint.taken[index]?.headers['content-type']).toBe('application/json');
    }
  });

  it('do not tell of those who are back within three seconds', async () => {
    await start();
    const client = await gateway.connect();
    await client.subscribe('presence-room', { user_id: 'ada' });
    await endpoint.has('member_added presence-room ada');
    for (let i = 0; i < 3; i++) {
      client.unsubscribe('presence-room');
      await client.subscribe('presence-room', { user_id: 'ada' });
    }
    // What was delayed for three seconds before this is told before it.
    await client.subscribe('mark');
    client.unsubscribe('mark');
    await endpoint.has('channel_vacated mark');
    expect(endpoint.words).toEqual([
      'channel_occupied presence-room',
      'member_added presence-room ada',
      'channel_occupied mark',
      'subscription_count mark 1',
      'channel_vacated mark',
    ]);
  });

  it('tell of client events as they were sent, with who sent them', async () => {
    await start();
    const client = await gateway.connect();
    await client.subscribe('presence-room', { user_id: 'ada' });
    await client.subscribe('private-room');
    client.send({ event: 'client-object', channel: 'presence-room', data: { at: 1.5, text: 'é' } });
    client.send({ event: 'client-text', channel: 'private-room', data: 'just a text' });
    client.send({ event: 'client-nothing', channel: 'private-room' });
    await endpoint.until(() => endpoint.events.filter(({ name }) => name === 'client_event').length === 3);
    expect(endpoint.events.filter(({ name }) => name === 'client_event')).toEqual([
      {
        name: 'client_event',
        channel: 'presence-room',
        event: 'client-object',
        data: '{"at":1.5,"text":"é"}',
        socket_id: client.socketId,
        user_id: 'ada',
      },
      {
        name: 'client_event',
        channel: 'private-room',
        event: 'client-text',
        data: 'just a text',
        socket_id: client.socketId,
      },
      { name: 'client_event', channel: 'private-room', event: 'client-nothing', socket_id: client.socketId },
    ]);
  });

  it('tell of cache misses and of counts', async () => {
    await start();
    const clients = [await gateway.connect(), await gateway.connect()];
    for (const client of clients) await client.subscribe('cache-room');
    await gateway.http.publish('cache-room', 'event', 'x');
    await (await gateway.connect()).subscribe('cache-room');
    await endpoint.has('subscription_count cache-room 3');
    expect(endpoint.words.filter((word) => !word.startsWith('cache_miss'))).toEqual([
      'channel_occupied cache-room',
      'subscription_count cache-room 1',
      'subscription_count cache-room 2',
      'subscription_count cache-room 3',
    ]);
    expect(endpoint.words.filter((word) => word === 'cache_miss cache-room')).toHaveLength(2);
    // The app has not asked for it, only its webhooks have.
    expect(clients[0]?.received.map(({ event }) => event)).not.toContain('pusher_internal:subscription_count');
  });

  it('come in batches of a hundred at most, in order', async () => {
    await start({ client_msg_rate_limit: '-1' });
    const client = await gateway.connect();
    for (let i = 0; i < 250; i++) client.send({ event: 'pusher:subscribe', data: { channel: `room-${i}` } });
    await endpoint.has('channel_occupied room-249');
    expect(endpoint.words.filter((word) => word.startsWith('channel_'))).toEqual(
      Array.from({ length: 250 }, (_, i) => `channel_occupied room-${i}`),
    );
    expect(endpoint.taken.length).toBeLessThan(50);
    for (const { events } of endpoint.taken) expect(events.length).toBeLessThanOrEqual(100);
  });

  it('tell of what was chosen, where it was chosen, with another secret and headers', async () => {
    const others = await WebhookEndpoint.start();
    gateway = await TestGateway.start({
      apps: [
        {
          ...APP,
          webhooks: [
            { url: endpoint.url, events: ['channel_occupied'], channelPrefix: 'private-', headers: { 'X-From': 'a' } },
            { url: others.url, secret: 'another-secret' },
          ],
        },
        { id: '2', key: 'second', secret: 'second' },
      ],
    });
    const client = await gateway.connect();
    await client.subscribe('news');
    await client.subscribe('private-room');
    await gateway.dial(gateway.url('second')).established();
    await Promise.all([endpoint.has('channel_occupied private-room'), others.has('channel_occupied private-room')]);
    expect(endpoint.words).toEqual(['channel_occupied private-room']);
    expect(endpoint.taken[0]?.headers['x-from']).toBe('a');
    expect(others.words).toContain('channel_occupied news');
    const { headers, body } = others.taken[0] ?? { headers: {}, body: '' };
    const pusher = new Pusher({ appId: APP.id, key: APP.key, secret: 'another-secret', host: 'localhost' });
    expect(pusher.webhook({ headers, rawBody: body }).isValid()).toBe(true);
    await others.stop();
  });

  it('are told of the end of a gateway before it ends', async () => {
    await start();
    const client = await gateway.connect();
    await client.subscribe('presence-room', { user_id: 'ada' });
    await endpoint.has('member_added presence-room ada');
    await gateway.stop();
    expect(endpoint.words.slice(2)).toEqual(['member_removed presence-room ada', 'channel_vacated presence-room']);
  });
});

describe('An endpoint that fails', () => {
  it.each([
    ['refuses', 500],
    ['redirects', 302],
  ])('is told again, in order, when it %s', async (_how, status) => {
    await start();
    endpoint.status = status;
    const client = await gateway.connect();
    await client.subscribe('first');
    await endpoint.until(() => endpoint.requests > 0);
    await client.subscribe('second');
    await endpoint.until(() => endpoint.requests > 1);
    expect(endpoint.taken).toEqual([]);
    endpoint.status = 200;
    await endpoint.has('channel_occupied second');
    expect(endpoint.words.filter((word) => word.startsWith('channel'))).toEqual([
      'channel_occupied first',
      'channel_occupied second',
    ]);
  });

  it('that hangs delays nobody but itself', async () => {
    const hanging = await WebhookEndpoint.start();
    hanging.status = undefined;
    gateway = await TestGateway.start({
      apps: [{ ...APP, webhooks: [{ url: hanging.url }, { url: endpoint.url, events: ['channel_occupied'] }] }],
    });
    const client = await gateway.connect();
    await client.subscribe('first');
    await hanging.until(() => hanging.requests === 1);
    await client.subscribe('second');
    await endpoint.has('channel_occupied second');
    expect(hanging.requests).toBe(1);
    // After five seconds that is a failure like any other.
    hanging.status = 200;
    await hanging.has('channel_occupied second');
    expect(hanging.words.filter((word) => word.startsWith('channel'))).toEqual([
      'channel_occupied first',
      'channel_occupied second',
    ]);
    await hanging.stop();
  });

  it('costs bounded memory: what is too much is dropped, and counted', async () => {
    await start({
      client_msg_rate_limit: '-1',
      webhook_events: 'channel_occupied',
      max_channels_per_connection: '2000',
    });
    endpoint.status = 503;
    let dropped = 0;
    gateway.events.on('webhookDropped', ({ appId, reason, count }) => {
      expect([appId, reason]).toEqual([APP.id, 'queue_full']);
      dropped += count;
    });
    const client = await gateway.connect();
    for (let i = 0; i < 1_100; i++) await client.subscribe(`room-${i}`);
    expect(dropped).toBe(1_100 - 1_024);
    endpoint.status = 200;
    await endpoint.has('channel_occupied room-1023');
    expect(endpoint.words).not.toContain('channel_occupied room-1024');
  });
});
