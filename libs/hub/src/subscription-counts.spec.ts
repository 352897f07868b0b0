import { beforeEach, describe, expect, it, vi } from 'vitest';
import { completeApp } from './app/app.js';
import { topicOf } from './broker/broker.js';
import { decodeEnvelope, type CountEnvelope } from './broker/envelope.js';
import { MemoryBroker, MemoryBus } from './broker/memory-broker.js';
import type { Channel } from './channel.js';
import { MemoryChannelDirectory } from './directory/memory-channel-directory.js';
import type { FanOut } from './fan-out/fan-out.js';
import { HubEvents } from './hub-events.js';
import { Registry } from './registry.js';
import { SubscriptionCounts } from './subscription-counts.js';
import { channelName } from './testing/hub-harness.js';

const APP = completeApp({ id: 'app', key: 'key', secret: 'secret', subscriptionCount: true });
const ROOM = channelName('room');

let directory: MemoryChannelDirectory;
let counts: SubscriptionCounts;
let channel: Channel;
/** On its way from the broker. */
let underWay: CountEnvelope[];
let told: number[];

beforeEach(async () => {
  const bus = new MemoryBus();
  directory = new MemoryChannelDirectory(bus);
  const registry = new Registry(() => 0);
  channel = registry.openChannel(APP, ROOM);
  const broker = new MemoryBroker(bus);
  underWay = [];
  broker.attach({
    message: (_topic, bytes) => underWay.push(decodeEnvelope(bytes) as CountEnvelope),
    interrupted: () => undefined,
    resumed: () => undefined,
  });
  await broker.subscribe(topicOf('app', 'room'));
  told = [];
  const appendAlways = (_: Channel, { payload }: { payload: Buffer }) => {
    const { data } = JSON.parse(payload.toString()) as { data: string };
    told.push((JSON.parse(data) as { subscription_count: number }).subscription_count);
  };
  counts = new SubscriptionCounts(registry, directory, { appendAlways } as unknown as FanOut, new HubEvents());
});

let sockets = 0;
async function join(): Promise<void> {
  const wishes = { counts: true, webhooks: false };
  await directory.join({ appId: 'app', channel: ROOM, socketId: `1.${++sockets}`, maxMembers: 1, wishes });
}

function arrive(): void {
  for (const envelope of underWay.splice(0)) counts.arrived(channel, envelope);
}

describe('the number of subscribers', () => {
  it('is told as it comes', async () => {
    for (let n = 0; n < 3; n++) await join();
    arrive();
    expect(told).toEqual([1, 2, 3]);
  });

  it('does not go back to what a reading has overtaken', async () => {
    await join();
    arrive();
    for (let n = 0; n < 3; n++) await join();
    counts.missed();
    await counts.refresh();
    arrive();
    expect(told).toEqual([1, 4]);
    await join();
    arrive();
    expect(told).toEqual([1, 4, 5]);
  });

  it('does not go back to a reading that was overtaken', async () => {
    await join();
    arrive();
    const reading = await directory.findChannel('app', 'room', {});
    vi.spyOn(directory, 'findChannel').mockImplementation(async () => {
      await join();
      arrive();
      return reading;
    });
    counts.missed();
    await counts.refresh();
    expect(told).toEqual([1, 2]);
  });

  it('is read where it was missed, and told again to whoever may not have heard it', async () => {
    await join();
    arrive();
    counts.missed();
    await counts.refresh();
    expect(told).toEqual([1]);
    await join();
    underWay = [];
    counts.missed();
    await counts.refresh();
    expect(told).toEqual([1, 2]);
    counts.interrupted();
    await counts.refresh();
    expect(told).toEqual([1, 2, 2]);
  });

  it('is what a store says that has lost its latest writes, and goes on from there', async () => {
    for (let n = 0; n < 3; n++) await join();
    arrive();
    vi.spyOn(directory, 'findChannel').mockResolvedValue({ serial: 1, subscriptionCount: 2, userCount: 0 });
    counts.missed();
    await counts.refresh();
    counts.arrived(channel, { type: 'subscription_count', count: 3, serial: 2 });
    expect(told).toEqual([1, 2, 3, 2, 3]);
  });

  it('is not read of a channel that was opened after what was missed', async () => {
    const find = vi.spyOn(directory, 'findChannel');
    counts.missed();
    await counts.refresh();
    expect(find).toHaveBeenCalledOnce();
    await counts.refresh();
    expect(find).toHaveBeenCalledOnce();
    counts.interrupted();
    await counts.refresh();
    expect(find).toHaveBeenCalledTimes(2);
  });

  it('is told as it comes from a release that gives it no serial', async () => {
    await join();
    arrive();
    for (const count of [2, 3, 2]) counts.arrived(channel, { type: 'subscription_count', count });
    expect(told).toEqual([1, 2, 3, 2]);
  });
});
