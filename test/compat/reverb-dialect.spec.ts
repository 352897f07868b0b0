import { signChannel } from '@pogo/pusher-protocol';
import type Echo from 'laravel-echo';
import type { ChannelAuthorizationCallback, PresenceChannel } from 'pusher-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { APP } from '../support/gateway.js';
import {
  arrives,
  happens,
  Heard,
  join,
  pageOf,
  RealClients,
  settle,
  type PageOptions,
} from '../support/pusher-clients.js';

let clients: RealClients;
beforeEach(async () => {
  clients = await RealClients.start({ settings: { dialect: 'reverb' } });
});
afterEach(() => clients.stop());

/** Signs as Laravel does: ids are those of the database, numbers. */
function asUser(id: number, name: string): PageOptions {
  const customHandler = (
    { socketId, channelName }: { readonly socketId: string; readonly channelName: string },
    callback: ChannelAuthorizationCallback,
  ): void => {
    const data = channelName.startsWith('presence-')
      ? { channel_data: JSON.stringify({ user_id: id, user_info: { id, name } }) }
      : {};
    callback(null, { auth: signChannel(APP, socketId, channelName, data.channel_data), ...data });
  };
  return { channelAuthorization: { customHandler, transport: 'ajax', endpoint: '' } };
}

const connect = (options?: PageOptions): Promise<Echo<'reverb'>> => clients.echo('reverb', options);

interface Subscribable {
  subscribed(callback: () => void): unknown;
}

/** Resolves when Echo's channel is subscribed to. */
function ready<T extends Subscribable>(channel: T): Promise<T> {
  return new Promise((resolve) => channel.subscribed(() => resolve(channel)));
}

function membersOf(echo: Echo<'reverb'>, channel: string): PresenceChannel['members'] {
  return (pageOf(echo).channel(channel) as PresenceChannel).members;
}

describe('Laravel Echo and an app that speaks reverb', () => {
  it('know who is here, who is joining and who is leaving, by ids that are numbers', async () => {
    const heard = new Heard<unknown>();
    const ann = await connect(asUser(1, 'Ann'));
    const lobby = ann
      .join('lobby')
      .here((members: unknown) => heard.note(['here', members]))
      .joining((member: unknown) => heard.note(['joining', member]))
      .leaving((member: unknown) => heard.note(['leaving', member]));
    await ready(lobby);
    const bob = await connect(asUser(2, 'Bob'));
    await ready(bob.join('lobby'));
    expect(membersOf(bob, 'presence-lobby')).toMatchObject({ count: 2, myID: 2, me: { info: { name: 'Bob' } } });
    bob.leave('lobby');
    expect(await heard.reaches(3)).toEqual([
      ['here', [{ id: 1, name: 'Ann' }]],
      ['joining', { id: 2, name: 'Bob' }],
      ['leaving', { id: 2, name: 'Bob' }],
    ]);
    expect(membersOf(ann, 'presence-lobby')).toMatchObject({ count: 1, me: { id: 1 } });
  });

  it('whisper, and say who with the number', async () => {
    const [ann, bob] = [await connect(asUser(1, 'Ann')), await connect(asUser(2, 'Bob'))];
    const [whispered, from] = [new Heard(), new Heard()];
    await Promise.all([ready(ann.private('chat')), ready(bob.private('chat'))]);
    await Promise.all([ready(ann.join('chat')), ready(bob.join('chat'))]);
    bob.private('chat').listenForWhisper('typing', whispered.note);
    bob.join('chat').listenForWhisper('typing', whispered.note);
    pageOf(bob)
      .channel('presence-chat')
      .bind('client-typing', (_data: unknown, { user_id: id }: { user_id: unknown }) => from.note(id));
    ann.private('chat').whisper('typing', { kind: 'private' });
    ann.join('chat').whisper('typing', { kind: 'presence' });
    expect(await whispered.reaches(2)).toEqual([{ kind: 'private' }, { kind: 'presence' }]);
    expect(await from.reaches(1)).toEqual([1]);
  });

  it('are told of a refused subscription as an error of the connection, which stays', async () => {
    const echo = await connect({ signer: clients.serverLibrary({ secret: 'wrong' }) });
    const refused = happens(pageOf(echo).connection, 'error');
    echo.private('orders');
    expect(await refused).toMatchObject({ data: { code: 4009, message: 'Connection is unauthorized' } });
    expect(echo.connectionStatus()).toBe('connected');
    expect(pageOf(echo).channel('private-orders').subscribed).toBe(false);
  });

  it('hear events and notifications of the application', async () => {
    const echo = await connect(asUser(1, 'Ann'));
    const heard = new Heard();
    const channel = await ready(echo.private('App.Models.User.1'));
    channel.listen('OrderShipped', heard.note).notification(heard.note);
    const notification = 'Illuminate\\Notifications\\Events\\BroadcastNotificationCreated';
    await clients.server.triggerBatch([
      { channel: 'private-App.Models.User.1', name: 'App\\Events\\OrderShipped', data: { id: 7 } },
      { channel: 'private-App.Models.User.1', name: notification, data: { type: 'InvoicePaid' } },
    ]);
    expect(await heard.reaches(2)).toEqual([{ id: 7 }, { type: 'InvoicePaid' }]);
  });
});

describe('The pusher library and an app that speaks reverb', () => {
  const get = async (path: string, params = {}): Promise<unknown> => {
    return (await clients.server.get({ path, params })).json();
  };

  it('publish to all but one, and ask about channels and users', async () => {
    const [ann, bob] = [await connect(asUser(1, 'Ann')), await connect(asUser(2, 'Bob'))];
    const [atAnn, atBob] = [new Heard(), new Heard()];
    (await ready(ann.join('room'))).listen('.posted', atAnn.note);
    (await ready(bob.join('room'))).listen('.posted', atBob.note);
    const params = { socket_id: ann.socketId() ?? '', info: 'user_count,subscription_count' };
    const answer = await clients.server.trigger('presence-room', 'posted', { n: 1 }, params);
    expect(await answer.json()).toEqual({ channels: { 'presence-room': { user_count: 2 } } });
    expect(await atBob.reaches(1)).toEqual([{ n: 1 }]);
    await settle(pageOf(ann));
    expect(atAnn.all).toEqual([]);
    expect(await get('/channels/presence-room/users')).toEqual({ users: [{ id: 1 }, { id: 2 }] });
    expect(await get('/channels', { info: 'user_count' })).toEqual({
      channels: { 'presence-room': { user_count: 2 } },
    });
  });

  it('see why a request was refused', async () => {
    const stranger = clients.serverLibrary({ secret: 'wrong' });
    const refusal: unknown = await stranger.trigger('room', 'posted', {}).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ status: 401, body: 'Authentication signature invalid.' });
  });
});

describe('pusher-js and an app that speaks reverb', () => {
  it('sign in, and reach the user', async () => {
    const page = await clients.connect({ user: { id: '7' } });
    const told = new Promise((resolve) => page.user.bind('told', resolve));
    const ready = arrives(page, 'pusher_internal:subscription_succeeded', '#server-to-user-7');
    page.signin();
    await ready;
    await clients.server.sendToUser('7', 'told', 'you');
    expect(await told).toBe('you');
  });

  it('are given what a cache channel has, or that it has nothing', async () => {
    const [first, second] = [await clients.connect(), await clients.connect()];
    const missed = happens(first.subscribe('cache-room'), 'pusher:cache_miss');
    await missed;
    await clients.server.trigger('cache-room', 'last', 'word');
    const channel = second.subscribe('cache-room');
    expect(await happens(channel, 'last')).toBe('word');
    expect(await join(second, 'cache-room')).toBe(channel);
  });
});
