import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { completeApp } from './app/app.js';
import { Channel } from './channel.js';
import type { Connection } from './connection.js';
import { HubOptions } from './hub-options.js';
import { Subscription } from './subscription.js';
import { Subscriptions } from './subscriptions.js';
import { channelName } from './testing/hub-harness.js';

const APP = completeApp({ id: 'app', key: 'key', secret: 'secret' });
const NAMES = ['a', 'b', 'c', 'd'];

function to(name: string): Subscription {
  const channel = new Channel(APP, channelName(name), () => 0);
  return new Subscription({} as Connection, channel, undefined, new HubOptions());
}

describe('the subscriptions of a connection', () => {
  it('are found by their channel, counted and listed as in a Map, whatever comes and goes', () => {
    const step = fc.record({ what: fc.constantFrom('add', 'add', 'delete', 'clear'), name: fc.constantFrom(...NAMES) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const subscriptions = new Subscriptions();
        const model = new Map<string, Subscription>();
        for (const { what, name } of steps) {
          if (what === 'clear') {
            subscriptions.clear();
            model.clear();
          } else if (what === 'delete') {
            subscriptions.delete(name);
            model.delete(name);
          } else if (!model.has(name)) {
            const subscription = to(name);
            subscriptions.add(subscription);
            model.set(name, subscription);
          }
          expect(subscriptions.size).toBe(model.size);
          for (const each of NAMES) expect(subscriptions.get(each)).toBe(model.get(each));
          expect(new Set(subscriptions.values())).toEqual(new Set(model.values()));
        }
      }),
    );
  });

  it.each([1, 2, 3])('may be taken away while they are listed: %i of them', (count) => {
    const subscriptions = new Subscriptions();
    for (const name of NAMES.slice(0, count)) subscriptions.add(to(name));
    const seen: Subscription[] = [];
    for (const subscription of subscriptions.values()) {
      seen.push(subscription);
      subscriptions.clear();
    }
    expect(seen).toHaveLength(1);
    expect(subscriptions.size).toBe(0);
  });
});
