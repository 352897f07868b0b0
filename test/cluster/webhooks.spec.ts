import Pusher from 'pusher';
import { describe, expect, it, type TestContext } from 'vitest';
import type { Client } from '../support/client.js';
import { Cluster, type ClusterOptions } from '../support/cluster.js';
import { APP } from '../support/gateway.js';
import { START_TIMEOUT_MS, type GatewayProcess } from '../support/gateway-process.js';
import { connectToEach } from '../support/observer.js';
import { freePort } from '../support/redis.js';
import { becomes } from '../support/roster-watch.js';
import { WebhookEndpoint } from '../support/webhook-endpoint.js';

const TIMEOUT_MS = START_TIMEOUT_MS + 60_000;

type Start = Omit<ClusterOptions, 'settings'> & { readonly settings?: Readonly<Record<string, string>> };

async function start({ settings = {}, ...options }: Start, { onTestFinished }: TestContext) {
  // Nobody else is given the port while nobody listens there.
  const endpoint = await WebhookEndpoint.start(await freePort());
  onTestFinished(() => endpoint.stop());
  const cluster = await Cluster.start({ ...options, settings: { webhook_url: endpoint.url, ...settings } });
  onTestFinished(() => cluster.stop());
  return { endpoint, cluster };
}

/** Resolves when everything that has happened in `mark`'s bucket, and what waited for three seconds before it, was told. */
async function settled(endpoint: WebhookEndpoint, client: Client, mark: string): Promise<void> {
  await client.subscribe(mark);
  client.unsubscribe(mark);
  await endpoint.has(`channel_vacated ${mark}`);
}

/**
 * Resolves when nothing waits to be told, nor is being told: a node that is killed between the endpoint's answer and
 * writing it down leaves its webhook to the next, which tells it again.
 */
async function quiet({ redis }: Cluster): Promise<void> {
  await becomes(10, [], async () => {
    const { inspector } = redis;
    const streams = [...(await inspector.keys('{pogo:*}:w')), ...(await inspector.keys('{pogo:hook:*}:q'))];
    const lengths = await Promise.all(streams.map((stream) => inspector.xlen(stream)));
    return streams.filter((_, index) => lengths[index] !== 0);
  });
}

async function subscriptions({ http }: GatewayProcess, channel: string): Promise<number> {
  const { body } = await http.get(`/channels/${channel}`, { info: 'subscription_count' });
  return (body as { subscription_count?: number }).subscription_count ?? 0;
}

const about = (endpoint: WebhookEndpoint, channel: string) =>
  endpoint.words.filter((word) => word.split(' ')[1] === channel);

describe.concurrent('Webhooks of a cluster', () => {
  it('tell of everything once, and the official library believes them', { timeout: TIMEOUT_MS }, async (context) => {
    const { endpoint, cluster } = await start({}, context);
    const clients = await connectToEach(cluster);
    for (const [n, client] of clients.entries()) {
      await client.subscribe('presence-room', { user_id: `u${n % 2}` });
      await client.subscribe('cache-room');
      await client.subscribe('private-room');
    }
    clients[1].send({ event: 'client-hello', channel: 'private-room', data: { a: 1 } });
    clients[2].send({ event: 'client-hello', channel: 'presence-room', data: 'text' });
    await endpoint.until(() => endpoint.words.filter((word) => word.startsWith('client_event')).length === 2);
    for (const [n, client] of clients.entries()) {
      await client.disconnect();
      // A node hears of an end when it gets to it: without this, another's could be told first.
      await becomes(10, 2 - n, () => subscriptions(cluster.node((n + 1) % 3), 'cache-room'));
    }
    await endpoint.has('channel_vacated presence-room');
    await endpoint.has('channel_vacated cache-room');
    await endpoint.has('channel_vacated private-room');
    expect(about(endpoint, 'presence-room')).toEqual([
      'channel_occupied presence-room',
      'member_added presence-room u0',
      'member_added presence-room u1',
      'client_event presence-room u0',
      ...['member_removed presence-room u1', 'member_removed presence-room u0'],
      'channel_vacated presence-room',
    ]);
    expect(about(endpoint, 'cache-room').filter((word) => !word.startsWith('cache_miss'))).toEqual([
      'channel_occupied cache-room',
      ...[1, 2, 3, 2, 1].map((count) => `subscription_count cache-room ${count}`),
      'channel_vacated cache-room',
    ]);
    expect(endpoint.words.filter((word) => word === 'cache_miss cache-room')).toHaveLength(3);
    expect(endpoint.events.find(({ channel, name }) => name === 'client_event' && channel === 'private-room')).toEqual({
      name: 'client_event',
      channel: 'private-room',
      event: 'client-hello',
      data: '{"a":1}',
      socket_id: clients[1].socketId,
    });
    const pusher = new Pusher({ appId: APP.id, key: APP.key, secret: APP.secret, host: 'localhost' });
    for (const { headers, body } of endpoint.taken) {
      expect(pusher.webhook({ headers, rawBody: body }).isValid()).toBe(true);
    }
  });

  it('do not tell of what is back on another node in time', { timeout: TIMEOUT_MS }, async (context) => {
    const { endpoint, cluster } = await start({}, context);
    const clients = await connectToEach(cluster);
    await clients[0].subscribe('presence-room', { user_id: 'ada' });
    for (let round = 0; round < 6; round++) {
      const [from, to] = [clients[round % 3] as Client, clients[(round + 1) % 3] as Client];
      from.unsubscribe('presence-room');
      await from.subscribe('elsewhere');
      await to.subscribe('presence-room', { user_id: 'ada' });
    }
    await settled(endpoint, clients[1], 'mark');
    expect(about(endpoint, 'presence-room')).toEqual([
      'channel_occupied presence-room',
      'member_added presence-room ada',
    ]);

    // A node that is killed: what it had is gone once, and what others have as well is not.
    await clients[1].subscribe('only-there');
    await clients[2].subscribe('presence-room', { user_id: 'bob' });
    await clients[0].subscribe('presence-room', { user_id: 'ada' });
    await endpoint.has('channel_occupied only-there');
    await quiet(cluster);
    await cluster.node(1).kill();
    await endpoint.has('channel_vacated only-there');
    await quiet(cluster);
    await cluster.node(0).kill();
    await endpoint.has('member_removed presence-room ada');
    await settled(endpoint, clients[2], 'another-mark');
    expect(about(endpoint, 'presence-room')).toEqual([
      'channel_occupied presence-room',
      'member_added presence-room ada',
      'member_added presence-room bob',
      'member_removed presence-room ada',
    ]);
    expect(about(endpoint, 'only-there').filter((word) => word.startsWith('channel'))).toEqual([
      'channel_occupied only-there',
      'channel_vacated only-there',
    ]);
  });

  it(
    'reach an endpoint that was down for a minute, in order, though a node was killed meanwhile',
    { timeout: TIMEOUT_MS + 120_000 },
    async (context) => {
      const { endpoint: first, cluster } = await start({ nodes: 2 }, context);
      const { port } = first;
      const clients = [await cluster.node(0).connect(), await cluster.node(1).connect()] as const;
      await clients[0].subscribe('before');
      await first.has('channel_occupied before');
      await first.stop();
      const downAt = performance.now();
      for (let round = 0; round < 10; round++) {
        for (const [n, client] of clients.entries()) await client.subscribe(`room-${n}-${round}`);
      }
      // Whichever had the endpoint's job.
      await cluster.node(0).kill();
      for (let round = 0; round < 10; round++) {
        await clients[1].subscribe(`late-${round}`);
        clients[1].unsubscribe(`late-${round}`);
      }
      const minute = 60_000 - (performance.now() - downAt);
      await new Promise((resolve) => setTimeout(resolve, minute));

      const endpoint = await WebhookEndpoint.start(port);
      context.onTestFinished(() => endpoint.stop());
      for (let round = 0; round < 10; round++) {
        await endpoint.has(`channel_vacated late-${round}`);
        await endpoint.has(`channel_vacated room-0-${round}`);
      }
      const changes = endpoint.words.filter((word) => word.startsWith('channel_'));
      for (let round = 0; round < 10; round++) {
        const ofChannel = (channel: string) => changes.filter((word) => word.endsWith(` ${channel}`));
        for (const channel of [`late-${round}`, `room-0-${round}`]) {
          expect(ofChannel(channel)).toEqual([`channel_occupied ${channel}`, `channel_vacated ${channel}`]);
        }
        expect(ofChannel(`room-1-${round}`)).toEqual([`channel_occupied room-1-${round}`]);
      }
    },
  );

  it('wait in Redis while nobody is there to tell them', { timeout: TIMEOUT_MS }, async (context) => {
    const { endpoint, cluster } = await start({ nodes: 2 }, context);
    const client = await cluster.node(0).connect();
    await client.subscribe('presence-room', { user_id: 'ada' });
    await endpoint.has('member_added presence-room ada');
    expect(await cluster.node(1).stop()).toBe(0);
    expect(await cluster.node(0).stop()).toBe(0);
    expect(endpoint.words).toHaveLength(2);
    await cluster.restartNode(0);
    await endpoint.has('channel_vacated presence-room');
    expect(endpoint.words.slice(2)).toEqual(['member_removed presence-room ada', 'channel_vacated presence-room']);
  });

  it('are not repeated when Redis comes back empty', { timeout: TIMEOUT_MS }, async (context) => {
    const { endpoint, cluster } = await start({ nodes: 2 }, context);
    const [ada, bob] = [await cluster.node(0).connect(), await cluster.node(1).connect()];
    await ada.subscribe('presence-room', { user_id: 'ada' });
    await bob.subscribe('presence-room', { user_id: 'bob' });
    await ada.subscribe('left-meanwhile');
    await endpoint.has('channel_occupied left-meanwhile');
    await endpoint.has('member_added presence-room bob');
    await cluster.redis.kill();
    ada.unsubscribe('left-meanwhile');
    await bob.disconnect();
    await cluster.redis.restart();
    await cluster.node(0).ready();
    // While transitions are held back.
    await ada.subscribe('come-meanwhile');
    await endpoint.has('channel_occupied come-meanwhile');
    await endpoint.has('channel_vacated left-meanwhile');
    await endpoint.has('member_removed presence-room bob');
    await settled(endpoint, ada, 'mark');
    const changes = endpoint.words.filter((word) => !word.startsWith('subscription_count') && !word.endsWith(' mark'));
    expect(changes.toSorted()).toEqual(
      [
        'channel_occupied presence-room',
        'member_added presence-room ada',
        'member_added presence-room bob',
        'channel_occupied left-meanwhile',
        'channel_occupied come-meanwhile',
        'channel_vacated left-meanwhile',
        'member_removed presence-room bob',
      ].toSorted(),
    );
  });
});
