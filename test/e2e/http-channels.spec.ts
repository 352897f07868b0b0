import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { APP, TestGateway } from '../support/gateway.js';
import { HttpApi } from '../support/http-api.js';

let gateway: TestGateway;
let http: HttpApi;
beforeAll(async () => {
  gateway = await TestGateway.start();
  http = gateway.http;
  const [alice, bob, bobsSecondTab] = await Promise.all([gateway.connect(), gateway.connect(), gateway.connect()]);
  await alice.subscribe('news');
  await bob.subscribe('news');
  await alice.subscribe('private-a,b;c@d=e.f');
  await alice.subscribe('presence-room', { user_id: 'alice', user_info: { name: 'Älice' } });
  await bob.subscribe('presence-room', { user_id: 7 });
  await bobsSecondTab.subscribe('presence-room', { user_id: 7 });
  await alice.subscribe('presence-cache-room', { user_id: 'alice' });
  await alice.subscribe('__proto__');
  await alice.signin({ id: 'alice' });
  await alice.subscribe('#server-to-user-alice');
});
afterAll(() => gateway.stop());

const get = async (path: string, query: Record<string, string> = {}) => {
  const { status, body } = await http.get(path, query);
  return [status, body];
};

/** A refusal whose sentence names `what`. */
const refused = (status: number, what: string) => [status, { error: expect.stringContaining(what) as string }];

describe('The list of channels', () => {
  it('has every occupied channel, without attributes, and not those of single users', async () => {
    const [status, body] = await get('/channels');
    const { channels } = body as { channels: object };
    expect(status).toBe(200);
    expect(Object.keys(channels).sort()).toEqual(
      ['__proto__', 'news', 'presence-cache-room', 'presence-room', 'private-a,b;c@d=e.f'].sort(),
    );
    expect(Object.values(channels)).toEqual([{}, {}, {}, {}, {}]);
  });

  it('has those with a prefix', async () => {
    const channels = { 'presence-cache-room': {}, 'presence-room': {} };
    expect(await get('/channels', { filter_by_prefix: 'presence-' })).toEqual([200, { channels }]);
  });

  it('is empty when no channel has the prefix', async () => {
    expect(await get('/channels', { filter_by_prefix: 'nothing-' })).toEqual([200, { channels: {} }]);
    expect(await get('/channels', { filter_by_prefix: 'NEWS' })).toEqual([200, { channels: {} }]);
  });

  it('counts the users of presence channels, each once', async () => {
    const channels = { 'presence-cache-room': { user_count: 1 }, 'presence-room': { user_count: 2 } };
    const query = { filter_by_prefix: 'presence-', info: 'user_count' };
    expect(await get('/channels', query)).toEqual([200, { channels }]);
  });

  it('counts the subscriptions of channels of every kind', async () => {
    const channels = { 'presence-room': { user_count: 2, subscription_count: 3 } };
    const query = { filter_by_prefix: 'presence-r', info: 'subscription_count,user_count' };
    expect(await get('/channels', query)).toEqual([200, { channels }]);
    expect(await get('/channels', { filter_by_prefix: 'news', info: 'subscription_count' })).toEqual([
      200,
      { channels: { news: { subscription_count: 2 } } },
    ]);
  });

  it.each([{}, { filter_by_prefix: '' }, { filter_by_prefix: 'private-' }, { filter_by_prefix: 'x-presence-' }])(
    'does not count users with the filter %j',
    async (filter) => {
      expect(await get('/channels', { ...filter, info: 'user_count' })).toEqual(refused(400, 'user_count'));
    },
  );

  it.each(['nonsense', 'subscription_count,nonsense', 'nonsense,user_count', '__proto__'])(
    'does not know the attributes %s and names the one it does not know',
    async (info) => {
      const [status, body] = await get('/channels', { filter_by_prefix: 'presence-', info });
      expect([status, body]).toEqual(refused(400, info.includes('nonsense') ? 'nonsense' : '__proto__'));
    },
  );

  it('has no cached events', async () => {
    expect(await get('/channels', { info: 'cache' })).toEqual(refused(400, 'cache'));
  });
});

describe('One channel', () => {
  it.each([
    ['news', { info: '' }, { occupied: true }],
    ['news', { info: 'subscription_count' }, { occupied: true, subscription_count: 2 }],
    ['nobody-here', {}, { occupied: false }],
    ['nobody-here', { info: 'subscription_count' }, { occupied: false, subscription_count: 0 }],
    ['__proto__', { info: 'subscription_count' }, { occupied: true, subscription_count: 1 }],
    ['constructor', {}, { occupied: false }],
    ['private-a,b;c@d=e.f', { info: 'subscription_count' }, { occupied: true, subscription_count: 1 }],
    ['presence-room', { info: 'user_count' }, { occupied: true, user_count: 2 }],
    [
      'presence-empty',
      { info: 'user_count,subscription_count' },
      { occupied: false, user_count: 0, subscription_count: 0 },
    ],
    [
      'presence-room',
      { info: ' user_count , subscription_count,' },
      { occupied: true, user_count: 2, subscription_count: 3 },
    ],
  ])('%s with %j is %j', async (channel, query, expected) => {
    expect(await get(`/channels/${channel}`, query as Record<string, string>)).toEqual([200, expected]);
  });

  it('is found under its percent-encoded name as well', async () => {
    expect(await get('/channels/private-a%2Cb%3Bc%40d%3De.f')).toEqual([200, { occupied: true }]);
    expect(await get('/channels/%6eews')).toEqual([200, { occupied: true }]);
    expect(await get('/channels/%23server-to-user-alice')).toEqual([200, { occupied: true }]);
  });

  it.each([
    ['news', 'user_count', 'user_count'],
    ['private-a', 'subscription_count,user_count', 'user_count'],
    ['news', 'cache', 'cache'],
    ['news', 'nonsense', 'nonsense'],
    ['presence-room', 'occupied,nonsense', 'occupied'],
  ])('%s has no %s, and the answer names %s', async (channel, info, named) => {
    expect(await get(`/channels/${channel}`, { info })).toEqual(refused(400, named));
  });

  it.each(['a%20b', 'a%2Fb', 'r%C3%A4ume', '%23room', 'a:b'])('%s is no channel', async (name) => {
    expect(await get(`/channels/${name}`)).toEqual(refused(400, 'Invalid channel name'));
    expect(await get(`/channels/${name}/users`)).toEqual(refused(400, 'Invalid channel name'));
  });
});

describe('The cached event of a channel', () => {
  it.each(['cache-empty', 'private-cache-empty', 'private-encrypted-cache-empty', 'presence-cache-room'])(
    'of %s is null before anything was published',
    async (channel) => {
      const [status, body] = await get(`/channels/${channel}`, { info: 'cache' });
      expect([status, body]).toEqual([200, { occupied: channel === 'presence-cache-room', cache: null }]);
    },
  );

  it('is the last data and the seconds it will stay, also when nobody was subscribed', async () => {
    await http.publish('cache-news', 'my-event', 'first');
    await http.publish('cache-news', 'my-event', '{"last":1.0}');
    const [status, body] = await get('/channels/cache-news', { info: 'cache,subscription_count' });
    expect([status, body]).toEqual([
      200,
      { occupied: false, subscription_count: 0, cache: { data: '{"last":1.0}', ttl: expect.any(Number) as number } },
    ]);
    const { ttl } = (body as { cache: { ttl: number } }).cache;
    expect(Number.isInteger(ttl) && ttl > 0 && ttl <= 1_800).toBe(true);
  });

  it('is answered to the publisher as well', async () => {
    const { body } = await http.publish(['cache-mine', 'mine'], 'my-event', 'x', { info: 'cache' });
    const cache = { data: 'x', ttl: expect.any(Number) as number };
    expect(body).toEqual({ channels: { 'cache-mine': { cache }, mine: {} } });
  });
});

describe('The users of a presence channel', () => {
  it('are listed by id, each once', async () => {
    expect(await get('/channels/presence-room/users')).toEqual([200, { users: [{ id: 'alice' }, { id: '7' }] }]);
  });

  it('are listed with user_info on request, {} for those without', async () => {
    expect(await get('/channels/presence-room/users', { with_user_info: '1' })).toEqual([
      200,
      {
        users: [
          { id: 'alice', user_info: { name: 'Älice' } },
          { id: '7', user_info: {} },
        ],
      },
    ]);
  });

  it('are none when nobody is there', async () => {
    expect(await get('/channels/presence-empty/users')).toEqual([200, { users: [] }]);
    expect(await get('/channels/presence-empty/users', { with_user_info: '1' })).toEqual([200, { users: [] }]);
  });

  it.each(['news', 'private-a', 'presence', 'x-presence-a', '%23server-to-user-alice'])(
    'do not exist for %s',
    async (channel) => {
      expect(await get(`/channels/${channel}/users`)).toEqual(refused(400, 'presence'));
    },
  );
});

describe('The connections of an app', () => {
  it('are counted, and those of others are not', async () => {
    expect(await get('/connections')).toEqual([200, { connections: 3 }]);
    const apps = [{ ...APP }, { id: '2', key: 'key-2', secret: 'secret-2' }];
    const both = await TestGateway.start({ apps });
    onTestFinished(() => both.stop());
    const client = await both.connect();
    const second = new HttpApi(`http://127.0.0.1:${both.port}`, { id: '2', key: 'key-2', secret: 'secret-2' });
    expect((await both.http.get('/connections')).body).toEqual({ connections: 1 });
    expect((await second.get('/connections')).body).toEqual({ connections: 0 });
    await client.subscribe('news');
    expect((await second.get('/channels')).body).toEqual({ channels: {} });
  });
});
