import { describe, expect, it, vi } from 'vitest';
import { completeApp } from '../app/app.js';
import { Channel } from '../channel.js';
import type { Connection } from '../connection.js';
import { HubCounters } from '../hub-counters.js';
import { HubEvents } from '../hub-events.js';
import { HubOptions } from '../hub-options.js';
import type { Subscription } from '../subscription.js';
import { channelName } from '../testing/hub-harness.js';
import { FanOut } from './fan-out.js';

const APP = completeApp({ id: 'app', key: 'key', secret: 'secret' });

/** A fan-out whose writes cost what the test says, and the order in which it wrote. */
class Scene {
  now = 0;
  readonly written: string[] = [];
  readonly fanOut = new FanOut(new HubOptions(), new HubCounters(), new HubEvents(), () => this.now);

  /** A channel whose subscribers take `costMs` each to write to. */
  channel(name: string, subscribers: number, costMs: number, subscriptionsEach = 1): Channel {
    const channel = new Channel(APP, channelName(name), () => 0);
    for (let i = 0; i < subscribers; i++) {
      const connection = {
        isCorked: false,
        subscriptions: { size: subscriptionsEach },
        cork: () => (connection.isCorked = true),
        uncork: () => {
          connection.isCorked = false;
          this.written.push('uncork');
        },
      };
      const subscription = {
        connection: connection as unknown as Connection,
        deliver: () => {
          this.now += costMs;
          this.written.push(name);
        },
      };
      channel.subscriptions.add(subscription as unknown as Subscription);
    }
    return channel;
  }

  publish(channel: Channel): void {
    this.fanOut.append(channel, { payload: Buffer.from('{}') });
  }
}

/** Runs one slice: it stands in the queue of immediates before this one. */
const slice = () => new Promise((resolve) => setImmediate(resolve));

describe('fairness between channels', () => {
  it('writes a small channel after a quantum of the large one, not after all of it', async () => {
    const scene = new Scene();
    const [large, small] = [scene.channel('large', 10_000, 0), scene.channel('small', 10, 0)];
    scene.publish(large);
    scene.publish(small);
    await slice();
    expect(scene.written.indexOf('small')).toBe(16);
    expect(scene.written.filter((name) => name === 'small')).toHaveLength(10);
    expect(scene.written).toHaveLength(10_010);
  });

  it('lets the event loop go on after 2 ms, and continues in the next turn', async () => {
    const scene = new Scene();
    const large = scene.channel('large', 1_000, 0.01);
    scene.publish(large);
    await slice();
    // The clock is read after 16 writes.
    expect(scene.written).toHaveLength(208);
    const input = vi.fn();
    setTimeout(input);
    await slice();
    expect(scene.written).toHaveLength(416);
    while (scene.written.length < 1_000) await slice();
    await slice();
    expect(scene.written).toHaveLength(1_000);
    await expect.poll(() => input.mock.calls.length).toBe(1);
  });

  it('serves what becomes pending in the meantime before the large channel is done', async () => {
    const scene = new Scene();
    const [large, small] = [scene.channel('large', 10_000, 0.01), scene.channel('small', 10, 0.01)];
    scene.publish(large);
    await slice();
    scene.publish(small);
    await slice();
    expect(scene.written.filter((name) => name === 'small')).toHaveLength(10);
    expect(scene.written.length).toBeLessThan(1_000);
  });

  it('has one batch in flight per channel: what arrives meanwhile comes after it to everybody', async () => {
    const scene = new Scene();
    const large = scene.channel('large', 300, 0.01);
    scene.publish(large);
    await slice();
    const { flight } = large;
    scene.publish(large);
    scene.publish(large);
    await slice();
    expect(large.flight?.batch).not.toBe(flight?.batch);
    expect(large.flight?.batch.size).toBe(2);
    while (large.isDirty) await slice();
    expect(scene.written).toHaveLength(600);
  });

  it('ends a slice when as many sockets are corked as two milliseconds can uncork', async () => {
    const scene = new Scene();
    const channels = ['a', 'b'].map((name) => scene.channel(name, 1_000, 0, 2));
    for (const channel of channels) scene.publish(channel);
    await slice();
    const uncorked = scene.written.filter((name) => name === 'uncork');
    expect(uncorked).toHaveLength(256);
    expect(scene.written.slice(-256)).toEqual(uncorked);
  });

  it('goes on when nobody is left in a channel', async () => {
    const scene = new Scene();
    const [left, other] = [scene.channel('left', 1, 0), scene.channel('other', 1, 0)];
    scene.publish(left);
    scene.publish(other);
    left.subscriptions.clear();
    await slice();
    expect(scene.written).toEqual(['other']);
    expect([left.isDirty, left.pending.size]).toEqual([false, 0]);
  });
});
