import type PusherServer from 'pusher';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { arrives, Heard, join, RealClients, settle } from '../support/pusher-clients.js';

let clients: RealClients;
beforeEach(async () => {
  clients = await RealClients.start();
});
afterEach(() => clients.stop());

type LibraryResponse = Awaited<ReturnType<PusherServer['get']>>;

async function bodyOf(response: Promise<LibraryResponse>): Promise<unknown> {
  return (await response).json();
}

function get(path: string, params: PusherServer.Params = {}): Promise<unknown> {
  return bodyOf(clients.server.get({ path, params }));
}

describe('the pusher library triggering', () => {
  it('reaches many channels with one call, each once', async () => {
    const page = await clients.connect();
    const names = Array.from({ length: 100 }, (_, i) => `room-${i}`);
    const heard = new Heard<string>();
    for (const channel of await Promise.all(names.map((name) => join(page, name)))) {
      channel.bind('posted', () => heard.note(channel.name));
    }
    expect(await bodyOf(clients.server.trigger(names, 'posted', {}))).toEqual({});
    await settle(page);
    expect([...heard.all].sort()).toEqual([...names].sort());
  });

  it('leaves out the connection named by socket_id and no other', async () => {
    const [sender, other] = await Promise.all([clients.connect(), clients.connect()]);
    const [atSender, atOther] = [new Heard(), new Heard()];
    (await join(sender, 'news')).bind('posted', atSender.note);
    (await join(other, 'news')).bind('posted', atOther.note);
    await clients.server.trigger('news', 'posted', 'to others', { socket_id: sender.connection.socket_id });
    await clients.server.trigger('news', 'posted', 'to all');
    await Promise.all([settle(sender), settle(other)]);
    expect(atSender.all).toEqual(['to all']);
    expect(atOther.all).toEqual(['to others', 'to all']);
  });

  it('is told what it asks about the channels it triggers on', async () => {
    const [ann, bob] = await Promise.all([
      clients.connect({ member: { user_id: 'ann' } }),
      clients.connect({ member: { user_id: 'bob' } }),
    ]);
    await Promise.all([join(ann, 'presence-lobby'), join(bob, 'presence-lobby')]);
    const params = { info: 'user_count,subscription_count' };
    expect(await bodyOf(clients.server.trigger(['presence-lobby', 'nobody-here'], 'posted', {}, params))).toEqual({
      channels: {
        'presence-lobby': { user_count: 2, subscription_count: 2 },
        'nobody-here': { subscription_count: 0 },
      },
    });
  });

  it('sends a batch in order for each channel, encrypted events included', async () => {
    const page = await clients.connect();
    const [news, secrets] = [new Heard(), new Heard()];
    (await join(page, 'news')).bind('posted', news.note);
    (await join(page, 'private-encrypted-secrets')).bind('posted', secrets.note);
    const answer = await bodyOf(
      clients.server.triggerBatch([
        { channel: 'news', name: 'posted', data: 1 },
        { channel: 'private-encrypted-secrets', name: 'posted', data: { word: 'xyzzy' } },
        { channel: 'news', name: 'posted', data: 3 },
      ]),
    );
    expect(answer).toEqual({});
    expect(await news.reaches(2)).toEqual([1, 3]);
    expect(await secrets.reaches(1)).toEqual([{ word: 'xyzzy' }]);
  });

  it('leaves out connections and answers questions item by item in a batch', async () => {
    const page = await clients.connect();
    const heard = new Heard();
    (await join(page, 'news')).bind('posted', heard.note);
    const answer = await bodyOf(
      clients.server.triggerBatch([
        { channel: 'news', name: 'posted', data: 'to others', socket_id: page.connection.socket_id },
        { channel: 'news', name: 'posted', data: 'to all', info: 'subscription_count' },
      ]),
    );
    expect(answer).toEqual({ batch: [{}, { subscription_count: 1 }] });
    await settle(page);
    expect(heard.all).toEqual(['to all']);
  });
});

describe('the pusher library asking', () => {
  beforeEach(async () => {
    const ann = await clients.connect({ member: { user_id: 'ann', user_info: { name: 'Ann' } } });
    const sameAnn = await clients.connect({ member: { user_id: 'ann' } });
    await Promise.all([join(ann, 'presence-lobby'), join(sameAnn, 'presence-lobby'), join(ann, 'news')]);
  });

  it('gets the list of occupied channels', async () => {
    expect(await get('/channels')).toEqual({ channels: { news: {}, 'presence-lobby': {} } });
  });

  it('gets the presence channels with their user counts', async () => {
    expect(await get('/channels', { filter_by_prefix: 'presence-', info: 'user_count' })).toEqual({
      channels: { 'presence-lobby': { user_count: 1 } },
    });
  });

  it('gets the attributes of one channel', async () => {
    expect(await get('/channels/presence-lobby', { info: 'user_count,subscription_count' })).toEqual({
      occupied: true,
      user_count: 1,
      subscription_count: 2,
    });
    expect(await get('/channels/nobody-here', { info: 'subscription_count' })).toEqual({
      occupied: false,
      subscription_count: 0,
    });
  });

  it('gets the users of a presence channel, each once', async () => {
    expect(await get('/channels/presence-lobby/users')).toEqual({ users: [{ id: 'ann' }] });
  });

  it('is refused when it asks for the users of a channel that has none', async () => {
    await expect(get('/channels/news/users')).rejects.toMatchObject({ name: 'PusherRequestError', status: 400 });
  });
});

describe('the pusher library with the wrong keys', () => {
  it.each([
    ['another secret', { secret: 'wrong' }, 401],
    ['a key of nobody', { key: 'wrong' }, 401],
    ['an app that does not exist', { appId: '404' }, 404],
  ])('is refused with %s, and nobody hears what it triggers', async (_, keys, status) => {
    const page = await clients.connect();
    const heard = new Heard();
    (await join(page, 'news')).bind('posted', heard.note);
    const stranger = clients.serverLibrary(keys);
    await expect(stranger.trigger('news', 'posted', 'forged')).rejects.toMatchObject({ status });
    await expect(stranger.get({ path: '/channels' })).rejects.toMatchObject({ status });
    const arrived = arrives(page, 'posted');
    await clients.server.trigger('news', 'posted', 'genuine');
    await arrived;
    expect(heard.all).toEqual(['genuine']);
  });
});
