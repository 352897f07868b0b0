import type { Members, PresenceChannel } from 'pusher-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { happens, Heard, join, RealClients, settle, type Page } from '../support/pusher-clients.js';

const LOBBY = 'presence-lobby';

let clients: RealClients;
beforeEach(async () => {
  clients = await RealClients.start();
});
afterEach(() => clients.stop());

/** A page in the lobby as `id`; every tab that is opened is another call. */
async function open(id: string, info?: object): Promise<{ page: Page; lobby: PresenceChannel }> {
  const member = info === undefined ? { user_id: id } : { user_id: id, user_info: info };
  const page = await clients.connect({ member });
  return { page, lobby: (await join(page, LOBBY)) as PresenceChannel };
}

/** Joinings and leavings that the page hears, in order. */
function comingsAndGoings(lobby: PresenceChannel): Heard<string> {
  const heard = new Heard<string>();
  lobby.bind('pusher:member_added', ({ id }: { id: string }) => heard.note(`${id} joined`));
  lobby.bind('pusher:member_removed', ({ id }: { id: string }) => heard.note(`${id} left`));
  return heard;
}

function idsOf(members: Members): string[] {
  const ids: string[] = [];
  members.each(({ id }: { id: string }) => ids.push(id));
  return ids.sort();
}

describe('pusher-js on a presence channel', () => {
  it('is given the members that are there, itself among them', async () => {
    await open('1', { name: 'Ann' });
    const { lobby } = await open('2', { name: 'Bob' });
    expect(lobby.members.count).toBe(2);
    expect(idsOf(lobby.members)).toEqual(['1', '2']);
    expect(lobby.members.get('1')).toEqual({ id: '1', info: { name: 'Ann' } });
    expect(lobby.members.me).toEqual({ id: '2', info: { name: 'Bob' } });
  });

  it('finds itself in members.me when it has no user_info', async () => {
    const { lobby } = await open('1');
    expect(lobby.members.me).toEqual({ id: '1', info: {} });
  });

  it('hears another user join, with its user_info, and does not hear itself', async () => {
    const { page, lobby } = await open('1');
    const added = new Heard();
    lobby.bind('pusher:member_added', added.note);
    const bob = await open('2', { name: 'Bob' });
    const atBob = comingsAndGoings(bob.lobby);
    expect(await added.reaches(1)).toEqual([{ id: '2', info: { name: 'Bob' } }]);
    expect(idsOf(lobby.members)).toEqual(['1', '2']);
    await Promise.all([settle(page), settle(bob.page)]);
    expect(added.all).toHaveLength(1);
    expect(atBob.all).toEqual([]);
  });

  it('hears a user leave that unsubscribes and one that disconnects', async () => {
    const { lobby } = await open('1');
    const heard = comingsAndGoings(lobby);
    const bob = await open('2');
    const eve = await open('3');
    await heard.reaches(2);
    bob.page.unsubscribe(LOBBY);
    await heard.reaches(3);
    eve.page.disconnect();
    expect(await heard.reaches(4)).toEqual(['2 joined', '3 joined', '2 left', '3 left']);
    expect(idsOf(lobby.members)).toEqual(['1']);
  });

  it('hears nothing of a second tab, neither when it joins nor when the first of the two leaves', async () => {
    const { lobby } = await open('1');
    const heard = comingsAndGoings(lobby);
    const firstTab = await open('2');
    const secondTab = await open('2');
    expect(secondTab.lobby.members.count).toBe(2);
    firstTab.page.unsubscribe(LOBBY);
    // Acknowledged behind the unsubscription, so the first tab is out before anybody else comes in.
    await join(firstTab.page, 'elsewhere');
    await open('3');
    expect(await heard.reaches(2)).toEqual(['2 joined', '3 joined']);
    secondTab.page.unsubscribe(LOBBY);
    expect(await heard.reaches(3)).toEqual(['2 joined', '3 joined', '2 left']);
  });

  it('learns from whom a client event comes', async () => {
    const ann = await open('1');
    const bob = await open('2');
    const typed = new Promise((resolve) => {
      bob.lobby.bind('client-typing', (data: unknown, metadata: unknown) => resolve([data, metadata]));
    });
    ann.lobby.trigger('client-typing', { key: 'a' });
    expect(await typed).toEqual([{ key: 'a' }, { user_id: '1' }]);
  });

  it('joins without channel_data as the user that it has signed in as', async () => {
    const ann = await open('1');
    const added = happens(ann.lobby, 'pusher:member_added');
    const page = await clients.connect({ user: { id: '2', user_info: { name: 'Bob' } } });
    page.signin();
    const lobby = (await join(page, LOBBY)) as PresenceChannel;
    expect(lobby.members.me).toMatchObject({ id: '2' });
    expect(await added).toMatchObject({ id: '2' });
  });
});
