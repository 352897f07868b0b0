import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../support/client.js';
import { APP, TestGateway } from '../support/gateway.js';
import { countsOf, endsWithCount, hasCount, SUBSCRIPTION_COUNT } from '../support/watching.js';

const QUIET = { id: '2', key: 'quiet', secret: 'quiet-secret' };
const REVERB = { id: '3', key: 'reverb', secret: 'reverb-secret' };

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start({
    apps: [{ ...APP, subscriptionCount: true }, QUIET, { ...REVERB, subscriptionCount: true, dialect: 'reverb' }],
  });
});
afterAll(() => gateway.stop());

const connect = (app: typeof QUIET) => gateway.dial(gateway.url(app.key), { app }).established();

describe('pusher_internal:subscription_count', () => {
  it.each(['news', 'private-news', 'private-encrypted-news', 'cache-news', 'private-cache-news'])(
    'goes to all subscribers of %s after each change, behind the acknowledgement of who has come',
    async (channel) => {
      const [first, second] = [await gateway.connect(), await gateway.connect()];
      await first.subscribe(channel);
      await second.subscribe(channel);
      await hasCount(first, channel, 2);
      await hasCount(second, channel, 2);
      const events = second.received.filter((message) => message.channel === channel).map(({ event }) => event);
      expect(events.at(0)).toBe('pusher_internal:subscription_succeeded');
      expect(events.at(-1)).toBe(SUBSCRIPTION_COUNT);
      second.unsubscribe(channel);
      await endsWithCount(first, channel, 1);
      await second.settle();
      expect(countsOf(first, channel)).toEqual([1, 2, 1]);
      expect(countsOf(second, channel)).toEqual([2]);
      expect(first.received.find(({ event }) => event === SUBSCRIPTION_COUNT)).toEqual({
        event: SUBSCRIPTION_COUNT,
        channel,
        data: '{"subscription_count":1}',
      });
      await first.disconnect();
    },
  );

  it('counts those who disconnect, and nobody twice who subscribes again', async () => {
    const [first, second] = [await gateway.connect(), await gateway.connect()];
    await first.subscribe('room');
    await second.subscribe('room');
    await second.subscribe('room');
    await second.disconnect();
    await endsWithCount(first, 'room', 1);
    expect(countsOf(first, 'room')).toEqual([1, 2, 1]);
  });

  it('is not for presence channels and those of single users, which have members', async () => {
    const client = await gateway.connect();
    await client.subscribe('presence-room', { user_id: 'ada' });
    await client.signin({ id: 'ada' });
    await client.subscribe('#server-to-user-ada');
    await client.subscribe('mark');
    await hasCount(client, 'mark', 1);
    expect(client.count(SUBSCRIPTION_COUNT)).toBe(1);
  });

  it('is for apps that have switched it on', async () => {
    const [loud, quiet] = [await gateway.connect(), await connect(QUIET)];
    await quiet.subscribe('both');
    await loud.subscribe('both');
    await hasCount(loud, 'both', 1);
    expect((await quiet.settle()).map(({ event }) => event)).not.toContain(SUBSCRIPTION_COUNT);
  });

  it('is worded as Reverb does for its apps', async () => {
    const client = await connect(REVERB);
    const texts: string[] = [];
    client.socket.on('message', (data: Buffer) => texts.push(data.toString()));
    await client.subscribe('news');
    await hasCount(client, 'news', 1);
    expect(texts.at(-1)).toBe(
      `{"event":"${SUBSCRIPTION_COUNT}","data":"{\\"subscription_count\\":1}","channel":"news"}`,
    );
  });

  it('comes once in a while above a hundred subscribers, and the last number in any case', async () => {
    const clients: Client[] = [];
    for (let n = 0; n < 120; n++) {
      const client = await gateway.connect();
      await client.subscribe('crowd');
      clients.push(client);
    }
    const [first] = clients as [Client];
    await hasCount(first, 'crowd', 120);
    const all = countsOf(first, 'crowd');
    expect(all.slice(0, 101)).toEqual(Array.from({ length: 101 }, (_, i) => i + 1));
    // One at least was left out on the way, or the machine would have taken five seconds for each.
    expect(all.length).toBeLessThan(115);
    for (const client of clients.splice(90)) await client.disconnect();
    await endsWithCount(first, 'crowd', 90);
    // Up to a hundred each number again.
    expect(countsOf(first, 'crowd').slice(-10)).toEqual([99, 98, 97, 96, 95, 94, 93, 92, 91, 90]);
  });
});
