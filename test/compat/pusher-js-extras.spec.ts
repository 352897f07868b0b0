import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Heard, join, RealClients, settle, type Page } from '../support/pusher-clients.js';

let clients: RealClients;
beforeEach(async () => {
  clients = await RealClients.start({ settings: { subscription_count: '1' } });
});
afterEach(() => clients.stop());

async function signIn(id: string, watchlist: string[] = []): Promise<Page> {
  const page = await clients.connect({ user: { id, watchlist } });
  page.signin();
  await page.user.signinDonePromise;
  return page;
}

describe('pusher-js', () => {
  it('hears how many subscribers a channel has, and keeps the number', async () => {
    const [first, second] = [await clients.connect(), await clients.connect()];
    const channel = await join(first, 'news');
    const counts = new Heard<{ subscription_count: number }>();
    channel.bind('pusher:subscription_count', counts.note);
    await join(second, 'news');
    while (channel.subscriptionCount !== 2) await counts.reaches(counts.all.length + 1);
    second.unsubscribe('news');
    while (channel.subscriptionCount !== 1) await counts.reaches(counts.all.length + 1);
    expect(counts.all.slice(-2)).toEqual([{ subscription_count: 2 }, { subscription_count: 1 }]);
  });

  it('hears who of its watchlist is online, who comes and who goes', async () => {
    await signIn('bob');
    const online = new Heard<{ user_ids: string[] }>();
    const offline = new Heard<{ user_ids: string[] }>();
    const page = await clients.connect({ user: { id: 'ada', watchlist: ['bob', 'cyd'] } });
    page.user.watchlist.bind('online', online.note);
    page.user.watchlist.bind('offline', offline.note);
    page.signin();
    await online.reaches(1);
    await offline.reaches(1);
    const cyd = await signIn('cyd');
    await online.reaches(2);
    cyd.disconnect();
    await offline.reaches(2);
    await settle(page);
    expect(online.all).toEqual([
      { name: 'online', user_ids: ['bob'] },
      { name: 'online', user_ids: ['cyd'] },
    ]);
    expect(offline.all).toEqual([
      { name: 'offline', user_ids: ['cyd'] },
      { name: 'offline', user_ids: ['cyd'] },
    ]);
  });

  it('hears that a cache channel has no event, and the event where it has one', async () => {
    const page = await clients.connect();
    const misses = new Heard();
    page.subscribe('cache-empty').bind('pusher:cache_miss', misses.note);
    await misses.reaches(1);
    await clients.server.trigger('cache-full', 'price', { amount: 3 });
    const prices = new Heard();
    const channel = page.subscribe('cache-full');
    channel.bind('price', prices.note);
    channel.bind('pusher:cache_miss', misses.note);
    await prices.reaches(1);
    await settle(page);
    expect(prices.all).toEqual([{ amount: 3 }]);
    expect(misses.all).toHaveLength(1);
  });
});
