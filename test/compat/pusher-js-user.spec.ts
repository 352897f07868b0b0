import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { arrives, happens, Heard, join, RealClients, settle, type Page } from '../support/pusher-clients.js';

let clients: RealClients;
beforeEach(async () => {
  clients = await RealClients.start();
});
afterEach(() => clients.stop());

/** A page that has signed in, and whose own channel pusher-js has subscribed to. */
async function signIn(id: string): Promise<Page> {
  const page = await clients.connect({ user: { id } });
  const ready = arrives(page, 'pusher_internal:subscription_succeeded', `#server-to-user-${id}`);
  page.signin();
  await ready;
  return page;
}

describe('pusher-js signing in', () => {
  it('knows its user afterwards', async () => {
    const page = await clients.connect({ user: { id: 'ann', user_info: { name: 'Ann' } } });
    page.signin();
    await page.user.signinDonePromise;
    expect(page.user.user_data).toEqual({ id: 'ann', user_info: { name: 'Ann' } });
  });

  it('is refused with a signature by another secret, and stays connected', async () => {
    const page = await clients.connect({ signer: clients.serverLibrary({ secret: 'wrong' }) });
    const error = happens(page.connection, 'error');
    page.signin();
    expect(await error).toEqual({ type: 'PusherError', data: { code: 4009, message: 'Signin authentication failed' } });
    await settle(page);
    expect(page.connection.state).toBe('connected');
    expect(page.user.user_data).toBeNull();
  });

  it('hears what is sent to its user in every tab, and nothing that is sent to another', async () => {
    const [firstTab, secondTab, other] = await Promise.all([signIn('ann'), signIn('ann'), signIn('bob')]);
    const heard = [firstTab, secondTab, other].map(({ user }) => {
      const log = new Heard();
      user.bind('paid', log.note);
      return log;
    });
    await clients.server.sendToUser('ann', 'paid', { amount: 3 });
    await clients.server.sendToUser('bob', 'paid', { amount: 4 });
    await Promise.all([firstTab, secondTab, other].map(settle));
    expect(heard.map(({ all }) => all)).toEqual([[{ amount: 3 }], [{ amount: 3 }], [{ amount: 4 }]]);
  });

  it("cannot subscribe to another user's channel", async () => {
    const page = await signIn('bob');
    const refused = arrives(page, 'pusher:subscription_error', '#server-to-user-ann');
    // pusher-js has no method for it: this is what a page would have to do by hand.
    page.send_event('pusher:subscribe', { channel: '#server-to-user-ann' });
    expect(await refused).toMatchObject({ type: 'AuthError', status: 401 });
  });
});

describe("terminating a user's connections", () => {
  it('ends those that signed in as the user and those that are present as it, for good', async () => {
    const signedIn = await signIn('ann');
    const present = await clients.connect({ member: { user_id: 'ann' } });
    await join(present, 'presence-lobby');
    const pages = [signedIn, present];
    const errors = pages.map((page) => happens(page.connection, 'error'));
    const ends = pages.map((page) => happens(page.connection, 'disconnected'));
    const response = await clients.server.terminateUserConnections('ann');
    expect(response.status).toBe(200);
    for (const error of await Promise.all(errors)) {
      expect(error).toMatchObject({ data: { code: 4009, message: 'You got disconnected by the app.' } });
    }
    // pusher-js disconnects of its own accord after a 4009, and does not dial again from there.
    await Promise.all(ends);
    expect(clients.gateway.hub.connectionCount).toBe(0);
  });

  it('leaves everybody else connected', async () => {
    const [ann, bob] = await Promise.all([signIn('ann'), signIn('bob')]);
    const states = new Heard();
    bob.connection.bind('state_change', states.note);
    const ended = happens(ann.connection, 'disconnected');
    await clients.server.terminateUserConnections('ann');
    await Promise.all([ended, settle(bob)]);
    expect(states.all).toEqual([]);
    expect(clients.gateway.hub.connectionCount).toBe(1);
  });
});
