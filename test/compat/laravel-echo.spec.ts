import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Heard, pageOf, RealClients, type PageOptions } from '../support/pusher-clients.js';

interface Subscribable {
  subscribed(callback: () => void): unknown;
  error(callback: (error: unknown) => void): unknown;
}

/** Resolves when Echo's channel is subscribed to. */
function ready<T extends Subscribable>(channel: T): Promise<T> {
  return new Promise((resolve, reject) => {
    channel.subscribed(() => resolve(channel));
    channel.error((error) => reject(new Error(JSON.stringify(error))));
  });
}

describe.each(['reverb', 'pusher'] as const)('Laravel Echo with the broadcaster %s', (broadcaster) => {
  let clients: RealClients;
  beforeEach(async () => {
    clients = await RealClients.start();
  });
  afterEach(() => clients.stop());

  const connect = (options?: PageOptions) => clients.echo(broadcaster, options);

  it('connects and knows its socket id', async () => {
    const echo = await connect();
    expect(echo.connectionStatus()).toBe('connected');
    expect(echo.socketId()).toMatch(/^\d+\.\d+$/);
  });

  it('hears events of a public channel by their class and by the name they broadcast as', async () => {
    const echo = await connect();
    const heard = new Heard();
    const orders = await ready(echo.channel('orders'));
    orders.listen('OrderShipped', heard.note).listen('.order.paid', heard.note);
    // What Laravel sends for App\Events\OrderShipped, and for an event with broadcastAs().
    await clients.server.trigger('orders', 'App\\Events\\OrderShipped', { id: 7 });
    await clients.server.trigger('orders', 'order.paid', { id: 8 });
    expect(await heard.reaches(2)).toEqual([{ id: 7 }, { id: 8 }]);
  });

  it('hears events and notifications of a private channel', async () => {
    const echo = await connect();
    const heard = new Heard();
    const channel = await ready(echo.private('App.Models.User.1'));
    channel.listen('OrderShipped', heard.note).notification(heard.note);
    await clients.server.trigger('private-App.Models.User.1', 'App\\Events\\OrderShipped', { id: 7 });
    const notification = 'Illuminate\\Notifications\\Events\\BroadcastNotificationCreated';
    await clients.server.trigger('private-App.Models.User.1', notification, { type: 'InvoicePaid' });
    expect(await heard.reaches(2)).toEqual([{ id: 7 }, { type: 'InvoicePaid' }]);
  });

  it('is told when it may not join a private channel', async () => {
    const echo = await connect({ signer: clients.serverLibrary({ secret: 'wrong' }) });
    const refused = new Promise((resolve) => echo.private('orders').error(resolve));
    expect(await refused).toMatchObject({ type: 'AuthError', status: 401 });
    expect(echo.connectionStatus()).toBe('connected');
  });

  it('learns who is here, who is joining and who is leaving', async () => {
    const heard = new Heard<unknown>();
    const ann = await connect({ member: { user_id: '1', user_info: { name: 'Ann' } } });
    const lobby = ann
      .join('lobby')
      .here((members: unknown) => heard.note(['here', members]))
      .joining((member: unknown) => heard.note(['joining', member]))
      .leaving((member: unknown) => heard.note(['leaving', member]));
    await ready(lobby);
    const bob = await connect({ member: { user_id: '2', user_info: { name: 'Bob' } } });
    await ready(bob.join('lobby'));
    bob.leave('lobby');
    expect(await heard.reaches(3)).toEqual([
      ['here', [{ name: 'Ann' }]],
      ['joining', { name: 'Bob' }],
      ['leaving', { name: 'Bob' }],
    ]);
  });

  it('decrypts what is sent on an encrypted private channel', async () => {
    const echo = await connect();
    const heard = new Heard();
    (await ready(echo.encryptedPrivate('secrets'))).listen('Told', heard.note);
    await clients.server.trigger('private-encrypted-secrets', 'App\\Events\\Told', { word: 'xyzzy' });
    expect(await heard.reaches(1)).toEqual([{ word: 'xyzzy' }]);
  });

  it('whispers to the others on private and presence channels and not to itself', async () => {
    const [ann, bob] = await Promise.all([
      connect({ member: { user_id: '1' } }),
      connect({ member: { user_id: '2' } }),
    ]);
    const [atAnn, atBob] = [new Heard(), new Heard()];
    for (const kind of ['private', 'join'] as const) {
      const [ofAnn, ofBob] = await Promise.all([ready(ann[kind]('chat')), ready(bob[kind]('chat'))]);
      ofAnn.listenForWhisper('typing', atAnn.note);
      ofBob.listenForWhisper('typing', atBob.note);
      ofAnn.whisper('typing', { from: 'ann', kind });
    }
    expect(await atBob.reaches(2)).toEqual([
      { from: 'ann', kind: 'private' },
      { from: 'ann', kind: 'join' },
    ]);
    // Bob answers after he has heard, so a whisper that came back to Ann would be in front of his.
    bob.join('chat').whisper('typing', { from: 'bob' });
    expect(await atAnn.reaches(1)).toEqual([{ from: 'bob' }]);
  });

  it('does not hear what it broadcast itself with toOthers', async () => {
    const [sender, other] = await Promise.all([connect(), connect()]);
    const [atSender, atOther] = [new Heard(), new Heard()];
    (await ready(sender.channel('orders'))).listen('OrderShipped', atSender.note);
    (await ready(other.channel('orders'))).listen('OrderShipped', atOther.note);
    // Echo's X-Socket-ID header carries the id to Laravel, whose toOthers() hands it on.
    const socketId = sender.socketId() ?? '';
    await clients.server.trigger('orders', 'App\\Events\\OrderShipped', { id: 7 }, { socket_id: socketId });
    await clients.server.trigger('orders', 'App\\Events\\OrderShipped', { id: 8 });
    expect(await atOther.reaches(2)).toEqual([{ id: 7 }, { id: 8 }]);
    expect(await atSender.reaches(1)).toEqual([{ id: 8 }]);
  });

  it('hears nothing more of a channel that it has left', async () => {
    const echo = await connect();
    await ready(echo.channel('orders'));
    echo.leave('orders');
    // Acknowledged behind the unsubscription, because the messages of one connection are handled in order.
    await ready(echo.channel('parcels'));
    const heard = new Heard();
    pageOf(echo).connection.bind('message', ({ channel }: { channel: string }) => heard.note(channel));
    await clients.server.trigger(['orders', 'parcels'], 'App\\Events\\OrderShipped', {});
    expect(await heard.reaches(1)).toEqual(['parcels']);
  });

  it('signs in and hears what is sent to its user', async () => {
    const echo = await connect({ user: { id: 'ann' } });
    const subscribed = new Promise<void>((resolve) => {
      clients.gateway.events.on('subscribed', ({ channel }) => {
        if (channel === '#server-to-user-ann') resolve();
      });
    });
    const heard = new Heard();
    echo.connector.signin();
    pageOf(echo).user.bind('paid', heard.note);
    await subscribed;
    await clients.server.sendToUser('ann', 'paid', { amount: 3 });
    expect(await heard.reaches(1)).toEqual([{ amount: 3 }]);
  });
});
