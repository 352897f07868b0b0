import { describe, expect, it } from 'vitest';
import { completeApp } from './app/app.js';
import { MemoryBroker } from './broker/memory-broker.js';
import type { Channel } from './channel.js';
import { type Connection } from './connection.js';
import { HubOptions } from './hub-options.js';
import { Registry } from './registry.js';
import { Subscription } from './subscription.js';
import { Chaos } from './testing/chaos.js';
import { channelName, TestCluster } from './testing/hub-harness.js';
import { eventually } from './testing/test-api.js';
import { TopicRegistry } from './topic-registry.js';
import { UnavailableError } from './unavailable-error.js';

const app = completeApp({ id: 'app', key: 'k', secret: 's' });
const LINGER = 5_000;

/** A broker that remembers what is in force and finishes calls when told to. */
class SlowBroker extends MemoryBroker {
  readonly inForce = new Set<string>();
  readonly calls: string[] = [];
  readonly finish: (() => void)[] = [];
  failures = 0;

  override subscribe(topic: string): Promise<void> {
    return this.call('subscribe', () => this.inForce.add(topic));
  }

  override unsubscribe(topic: string): Promise<void> {
    return this.call('unsubscribe', () => this.inForce.delete(topic));
  }

  private async call(name: string, take: () => unknown): Promise<void> {
    this.calls.push(name);
    await new Promise<void>((resolve) => this.finish.push(resolve));
    if (this.failures-- > 0) throw new UnavailableError('away', 'not_done');
    take();
  }

  async finishNext(): Promise<void> {
    await eventually(() => this.finish.length > 0);
    this.finish.shift()?.();
  }
}

function start() {
  const broker = new SlowBroker();
  const registry = new Registry(() => 0);
  const topics = new TopicRegistry(broker, (topic) => registry.removeChannel(topic), LINGER);
  const cluster = new TestCluster();
  const connection: Connection = cluster.node(0).connect().connection;
  const channel = registry.openChannel(app, channelName('room'));
  const arrive = (to: Channel = channel) => {
    const subscription = new Subscription(connection, to, undefined, new HubOptions());
    to.subscriptions.add(subscription);
    return subscription;
  };
  const depart = (now: number, from: Channel = channel) => {
    from.subscriptions.clear();
    topics.idleFrom(from, now);
  };
  return { broker, registry, topics, channel, arrive, depart };
}

describe('TopicRegistry', () => {
  it('subscribes once for all who wait, and has nothing to wait for afterwards', async () => {
    const { broker, topics, channel, arrive } = start();
    arrive();
    const first = topics.activate(channel);
    arrive();
    const second = topics.activate(channel);
    expect(first).toBe(second);
    await broker.finishNext();
    await first;
    expect(broker.calls).toEqual(['subscribe']);
    expect(topics.activate(channel)).toBeUndefined();
  });

  it('releases a topic some seconds after its last subscriber, and forgets the channel', async () => {
    const { broker, registry, topics, channel, arrive, depart } = start();
    arrive();
    const active = topics.activate(channel);
    await broker.finishNext();
    await active;
    depart(1_000);
    topics.sweep(1_000 + LINGER - 1);
    expect(broker.calls).toEqual(['subscribe']);
    topics.sweep(1_000 + LINGER);
    await broker.finishNext();
    await eventually(() => registry.findChannel(channel.topic) === undefined);
    expect([...broker.inForce]).toEqual([]);
  });

  it('keeps a topic whose channel got a subscriber again in time', async () => {
    const { broker, topics, channel, arrive, depart } = start();
    arrive();
    const active = topics.activate(channel);
    await broker.finishNext();
    await active;
    depart(1_000);
    arrive();
    expect(topics.activate(channel)).toBeUndefined();
    topics.sweep(60_000);
    expect(broker.calls).toEqual(['subscribe']);
  });

  it('subscribes again for somebody who comes while the topic is being released', async () => {
    const { broker, topics, channel, arrive, depart } = start();
    arrive();
    const active = topics.activate(channel);
    await broker.finishNext();
    await active;
    depart(0);
    topics.sweep(LINGER);
    arrive();
    const again = topics.activate(channel);
    expect(again).toBeDefined();
    await broker.finishNext();
    await broker.finishNext();
    await again;
    expect(broker.calls).toEqual(['subscribe', 'unsubscribe', 'subscribe']);
    expect(broker.inForce.has(channel.topic)).toBe(true);
  });

  it('asks again until the broker answers, and gives up what nobody wants any more', async () => {
    const { broker, registry, topics, channel, arrive, depart } = start();
    broker.failures = 2;
    arrive();
    const active = topics.activate(channel);
    for (let i = 0; i < 3; i++) await broker.finishNext();
    await active;
    expect(broker.calls).toEqual(['subscribe', 'subscribe', 'subscribe']);
    depart(0);
    broker.failures = 1;
    topics.sweep(LINGER);
    for (let i = 0; i < 2; i++) await broker.finishNext();
    await eventually(() => registry.findChannel(channel.topic) === undefined);
  });

  it('undoes a subscription of which nobody knows whether it was made', async () => {
    const { broker, topics, channel, arrive, depart } = start();
    broker.failures = 1;
    arrive();
    void topics.activate(channel);
    await eventually(() => broker.calls.length === 1);
    depart(0);
    await broker.finishNext();
    await eventually(() => broker.calls.length === 2);
    expect(broker.calls).toEqual(['subscribe', 'unsubscribe']);
    await broker.finishNext();
  });

  it('ends in the state that is wanted, whatever comes in between', async () => {
    const cluster = new TestCluster({ seed: 3, options: { topicLingerMs: 0 } });
    const chaos = new Chaos({ seed: 5 });
    const { hub, connect } = cluster.node(0);
    const { connection, socket } = connect();
    for (let i = 0; i < 40; i++) {
      await hub.subscribe(connection, channelName('room'));
      await chaos.delay();
      await hub.unsubscribe(connection, 'room');
      await chaos.delay();
    }
    await hub.subscribe(connection, channelName('room'));
    await eventually(async () => {
      await hub.publish('app', 'room', 'event', '1');
      return socket.names.includes('event');
    });
    await cluster.close();
  });
});
