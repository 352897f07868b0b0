import assert from 'node:assert/strict';
import { parseChannelName, type ChannelName, type WebhookEvent } from '@pogo/pusher-protocol';
import { completeApp, type App } from '../app/app.js';
import type { WebhookEndpoint, WebhookSettings } from '../app/webhook-endpoint.js';
import type { Departure, JoinRequest } from '../directory/channel-directory.js';
import type { WebhookQueue, WebhookReceiver } from '../webhooks/webhook-queue.js';
import { eachWith, eventually, type Harness, type TestApi } from './test-api.js';

/** One node of a cluster, or the only one. */
export interface WebhookQueueNode {
  readonly queue: WebhookQueue;
  /** What the node's directory does, with everything that follows from its answer. */
  join(request: JoinRequest): Promise<void>;
  leave(departure: Departure): Promise<void>;
}

export interface WebhookQueueHarness extends Harness {
  /** Nodes of one cluster; two where the queue is shared. */
  readonly nodes: readonly [WebhookQueueNode, ...WebhookQueueNode[]];
}

/** What every {@link WebhookQueue} must do. */
export function webhookQueueContract(
  api: TestApi,
  name: string,
  create: () => Promise<WebhookQueueHarness> | WebhookQueueHarness,
): void {
  api.describe(`WebhookQueue contract: ${name}`, () => {
    const test = eachWith(api, create);

    test('brings what has happened in a channel once, in order', async ({ nodes }) => {
      const app = appWith([{ url: 'http://a/' }]);
      const told = tellAll(nodes, app);
      const last = nodes.at(-1) as WebhookQueueNode;
      await nodes[0].join(request('presence-room', '1.1', 'ada'));
      await last.join(request('presence-room', '2.1', 'ada'));
      await last.join(request('presence-room', '2.2', 'bob'));
      await eventually(() => told.words('http://a/').length === 3);
      last.queue.add(app, clientEvent('presence-room'));
      await eventually(() => told.words('http://a/').length === 4);
      nodes[0].queue.add(app, { name: 'cache_miss', channel: 'presence-room' });
      await eventually(() => told.words('http://a/').length === 5);
      assert.deepEqual(told.words('http://a/'), [
        'channel_occupied presence-room',
        'member_added presence-room ada',
        'member_added presence-room bob',
        'client_event presence-room',
        'cache_miss presence-room',
      ]);
    });

    test('brings each endpoint what it wants', async ({ nodes }) => {
      const app = appWith([
        { url: 'http://members/', events: ['member_added'] },
        { url: 'http://private/', channelPrefix: 'private-' },
      ]);
      const told = tellAll(nodes, app);
      await nodes[0].join(request('presence-room', '1.1', 'ada'));
      await nodes[0].join(request('private-room', '1.1'));
      await eventually(() => told.words('http://members/').length > 0 && told.words('http://private/').length > 0);
      assert.deepEqual(told.words('http://members/'), ['member_added presence-room ada']);
      assert.deepEqual(told.words('http://private/'), ['channel_occupied private-room']);
    });

    test('tells of who has gone when it has stayed away, and of the others nothing', async ({ nodes }) => {
      const app = appWith([{ url: 'http://a/', events: ['channel_occupied', 'channel_vacated'] }]);
      const told = tellAll(nodes, app);
      const last = nodes.at(-1) as WebhookQueueNode;
      const [flicker, gone] = [request('flicker', '1.1'), request('gone', '1.1')];
      for (const each of [flicker, gone]) await nodes[0].join(each);
      for (const each of [flicker, gone]) await nodes[0].leave(each);
      await last.join(request('flicker', '2.1'));
      await eventually(() => told.words('http://a/').includes('channel_vacated gone'));
      assert.deepEqual(
        told.words('http://a/').filter((word) => word.endsWith('flicker')),
        ['channel_occupied flicker'],
      );
    });

    test('brings the same again, and nothing before it, to an endpoint that fails', async ({ nodes }) => {
      const app = appWith([{ url: 'http://a/' }, { url: 'http://b/' }]);
      const told = tellAll(nodes, app);
      told.failing.add('http://a/');
      await nodes[0].join(request('first', '1.1'));
      await eventually(() => told.tries >= 2);
      await nodes[0].join(request('second', '1.1'));
      // One that fails delays no other.
      await eventually(() => told.words('http://b/').length === 2);
      assert.deepEqual(told.words('http://a/'), []);
      told.failing.clear();
      await eventually(() => told.words('http://a/').length === 2);
      assert.deepEqual(told.words('http://a/'), ['channel_occupied first', 'channel_occupied second']);
    });

    test('brings a hundred events at once at most, and tells one endpoint of one batch at a time', async ({
      nodes,
    }) => {
      const app = appWith([{ url: 'http://a/' }]);
      const told = tellAll(nodes, app);
      for (let n = 0; n < 250; n++) nodes[0].queue.add(app, { name: 'cache_miss', channel: `cache-${n}` });
      await eventually(() => told.words('http://a/').length === 250);
      assert.deepEqual(new Set(told.words('http://a/')).size, 250);
      assert.ok(told.sizes.every((size) => size <= 100));
      assert.equal(told.mostAtOnce, 1);
    });
  });
}

const WISHES = { counts: false, webhooks: true };

function appWith(webhooks: readonly WebhookSettings[]): App {
  return completeApp({ id: 'app', key: 'key', secret: 'secret', webhooks });
}

function request(channel: string, socketId: string, userId?: string): JoinRequest {
  const name = parseChannelName(channel, 200) as ChannelName;
  const request = { appId: 'app', channel: name, socketId, maxMembers: 10, wishes: WISHES };
  return userId === undefined ? request : { ...request, member: { userId } };
}

function clientEvent(channel: string): WebhookEvent {
  return { name: 'client_event', channel, event: 'client-hello', dataJson: '{}', socketId: '1.1' };
}

/** Endpoints that take everything, but for those that fail. */
class Told {
  readonly failing = new Set<string>();
  readonly sizes: number[] = [];
  tries = 0;
  mostAtOnce = 0;
  private atOnce = 0;
  private readonly byUrl = new Map<string, string[]>();

  words(url: string): readonly string[] {
    return this.byUrl.get(url) ?? [];
  }

  async take({ url }: WebhookEndpoint, events: readonly string[]): Promise<void> {
    this.tries++;
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
    await new Promise((resolve) => setTimeout(resolve, 1));
    this.atOnce--;
    if (this.failing.has(url)) throw new Error('not now');
    this.sizes.push(events.length);
    const parsed = events.map((json) => JSON.parse(json) as { name: string; channel: string; user_id?: string });
    const words = parsed.map(({ name, channel, user_id: user }) => [name, channel, user].filter(Boolean).join(' '));
    this.byUrl.set(url, [...this.words(url), ...words]);
  }
}

function tellAll(nodes: readonly WebhookQueueNode[], app: App): Told {
  const told = new Told();
  const receiver: WebhookReceiver = {
    endpointsOf: (appId) => Promise.resolve(appId === app.id ? app.webhooks : []),
    send: (_appId, endpoint, events) => told.take(endpoint, events),
    dropped: (appId, reason, count) => assert.fail(`${count} events of ${appId} dropped: ${reason}`),
  };
  for (const { queue } of nodes) queue.attach(receiver);
  return told;
}
