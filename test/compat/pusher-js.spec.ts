import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { arrives, happens, Heard, join, RealClients, settle, subscribed } from '../support/pusher-clients.js';

let clients: RealClients;
beforeEach(async () => {
  clients = await RealClients.start();
});
afterEach(() => clients.stop());

describe('pusher-js connecting', () => {
  it('is greeted with a socket id and shows up as one connection', async () => {
    const page = await clients.connect();
    expect(page.connection.state).toBe('connected');
    expect(page.connection.socket_id).toMatch(/^\d+\.\d+$/);
    expect(clients.gateway.hub.connectionCount).toBe(1);
  });

  it('gives up when the app key does not exist', async () => {
    const page = clients.page({}, 'no-such-key');
    const error = happens(page.connection, 'error');
    await happens(page.connection, 'disconnected');
    expect(await error).toMatchObject({ error: { data: { code: 4001, message: 'Application does not exist' } } });
  });

  it('has its activity checks answered', async () => {
    const page = clients.page({ activityTimeout: 10 });
    await arrives(page, 'pusher:pong');
    expect(page.connection.state).toBe('connected');
  });

  it('leaves the server when it disconnects', async () => {
    const page = await clients.connect();
    const closed = new Promise<string>((resolve) => {
      clients.gateway.events.on('connectionClosed', ({ connection }) => resolve(connection.socketId));
    });
    const { socket_id: socketId } = page.connection;
    page.disconnect();
    expect(await closed).toBe(socketId);
    expect(clients.gateway.hub.connectionCount).toBe(0);
  });
});

describe('pusher-js on a public channel', () => {
  it('hears what is published, with its data parsed', async () => {
    const page = await clients.connect();
    const news = await join(page, 'news');
    const heard = happens(news, 'posted');
    await clients.server.trigger('news', 'posted', { title: 'Żółw', tags: ['a', 'b'] });
    expect(await heard).toEqual({ title: 'Żółw', tags: ['a', 'b'] });
  });

  it('hears text that is not JSON as it is', async () => {
    const page = await clients.connect();
    const news = await join(page, 'news');
    const heard = happens(news, 'posted');
    await clients.server.trigger('news', 'posted', 'plain {text');
    expect(await heard).toBe('plain {text');
  });

  it('hears nothing of a channel that it has left', async () => {
    const page = await clients.connect();
    const news = await join(page, 'news');
    const heard = new Heard();
    news.bind('posted', heard.note);
    page.unsubscribe('news');
    // Acknowledged behind the unsubscription, because the messages of one connection are handled in order.
    await join(page, 'weather');
    page.connection.bind('message', ({ event }: { event: string }) => heard.note(event));
    await clients.server.trigger('news', 'posted', {});
    await clients.server.trigger('weather', 'changed', {});
    expect(await heard.reaches(1)).toEqual(['changed']);
  });

  it('gets all of 150 channels that it subscribes to in one burst, at the default rates', async () => {
    const page = clients.page();
    const errors = new Heard();
    page.connection.bind('error', errors.note);
    const names = Array.from({ length: 150 }, (_, i) => `room-${i}`);
    const channels = names.map((name) => page.subscribe(name));
    await Promise.all(channels.map(subscribed));
    const response = await clients.server.get({ path: '/channels' });
    const { channels: occupied } = (await response.json()) as { channels: Record<string, object> };
    expect(Object.keys(occupied).sort()).toEqual([...names].sort());
    expect(errors.all).toEqual([]);
  });
});

describe('pusher-js on a private channel', () => {
  it('subscribes with a signature of the official library and hears what is published', async () => {
    const page = await clients.connect();
    const orders = await join(page, 'private-orders');
    const heard = happens(orders, 'shipped');
    await clients.server.trigger('private-orders', 'shipped', { id: 7 });
    expect(await heard).toEqual({ id: 7 });
  });

  it('is told when its signature is wrong, hears nothing of the channel, and stays connected', async () => {
    const page = await clients.connect({ signer: clients.serverLibrary({ secret: 'wrong' }) });
    const error = happens(page.connection, 'error');
    const orders = page.subscribe('private-orders');
    const heard = new Heard();
    orders.bind('shipped', heard.note);
    expect(await happens(orders, 'pusher:subscription_error')).toMatchObject({ type: 'AuthError', status: 401 });
    expect(await error).toEqual({
      type: 'PusherError',
      data: { code: 4009, message: 'Subscription to private-orders rejected' },
    });
    await clients.server.trigger('private-orders', 'shipped', { id: 7 });
    await settle(page);
    expect(heard.all).toEqual([]);
    expect(page.connection.state).toBe('connected');
  });
});

describe('pusher-js on an encrypted channel', () => {
  it('decrypts what the official library encrypted, and the server never sees the plain text', async () => {
    const page = await clients.connect();
    const secrets = await join(page, 'private-encrypted-secrets');
    const wire = arrives(page, 'told', 'private-encrypted-secrets');
    const heard = happens(secrets, 'told');
    await clients.server.trigger('private-encrypted-secrets', 'told', { word: 'xyzzy' });
    expect(await heard).toEqual({ word: 'xyzzy' });
    const relayed = await wire;
    expect(relayed).toEqual({ nonce: expect.any(String) as string, ciphertext: expect.any(String) as string });
    expect(JSON.stringify(relayed)).not.toContain('xyzzy');
  });
});

describe('pusher-js sending client events', () => {
  it('reaches the other subscribers of a private channel and not itself', async () => {
    const [alice, bob] = await Promise.all([clients.connect(), clients.connect()]);
    const [ofAlice, ofBob] = await Promise.all([join(alice, 'private-chat'), join(bob, 'private-chat')]);
    const [atAlice, atBob] = [new Heard(), new Heard()];
    ofAlice.bind('client-typing', atAlice.note);
    ofBob.bind('client-typing', atBob.note);
    ofAlice.trigger('client-typing', { key: 'a' });
    ofAlice.trigger('client-typing', { key: 'b' });
    expect(await atBob.reaches(2)).toEqual([{ key: 'a' }, { key: 'b' }]);
    await settle(alice);
    expect(atAlice.all).toEqual([]);
  });

  it('is refused on a channel that it has not joined, and nobody hears it', async () => {
    const [alice, bob] = await Promise.all([clients.connect(), clients.connect()]);
    const chat = await join(bob, 'private-chat');
    const heard = new Heard();
    chat.bind('client-typing', heard.note);
    const error = happens(alice.connection, 'error');
    alice.send_event('client-typing', {}, 'private-chat');
    expect(await error).toEqual({
      type: 'PusherError',
      data: { code: 4301, message: 'The client is not a member of the specified channel.' },
    });
    await settle(bob);
    expect(heard.all).toEqual([]);
  });
});
