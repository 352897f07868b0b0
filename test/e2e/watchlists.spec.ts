import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../support/client.js';
import { APP, TestGateway } from '../support/gateway.js';
import { watched, watches, WATCHLIST_EVENTS } from '../support/watching.js';

const OTHER = { id: '2', key: 'other', secret: 'other-secret' };

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start({ apps: [APP, OTHER] });
});
afterAll(() => gateway.stop());

async function watcher(id: string, watchlist: readonly string[]): Promise<Client> {
  const client = await gateway.connect();
  await client.signin({ id, watchlist });
  return client;
}

async function user(id: string): Promise<Client> {
  const client = await gateway.connect();
  await client.signin({ id });
  return client;
}

describe('A watchlist', () => {
  it('says after the sign-in who is online and who is not, in two lists', async () => {
    const bob = await user('list-bob');
    const ada = await watcher('list-ada', ['list-bob', 'list-cyd', 'list-ada']);
    const message = await ada.receive(WATCHLIST_EVENTS);
    const events = ada.received.map(({ event }) => event);
    expect(events.slice(1)).toEqual(['pusher:signin_success', WATCHLIST_EVENTS]);
    expect(message).toEqual({
      event: WATCHLIST_EVENTS,
      data: '{"events":[{"name":"online","user_ids":["list-bob","list-ada"]},{"name":"offline","user_ids":["list-cyd"]}]}',
    });
    await bob.disconnect();
  });

  it('says who comes and goes: with the first connection and the last', async () => {
    const ada = await watcher('ada', ['bob']);
    expect(await watches(ada, 1)).toEqual(['-bob']);
    const tabs = [await user('bob'), await user('bob')];
    expect(await watches(ada, 2)).toEqual(['-bob', '+bob']);
    await tabs[0]?.disconnect();
    tabs.push(await user('bob'));
    await tabs[1]?.disconnect();
    await tabs[2]?.disconnect();
    expect(await watches(ada, 3)).toEqual(['-bob', '+bob', '-bob']);
    await user('bob');
    expect(await watches(ada, 4)).toEqual(['-bob', '+bob', '-bob', '+bob']);
  });

  it('reaches all watchers of a user, also those that come later', async () => {
    const early = await watcher('early', ['star']);
    await watches(early, 1);
    const star = await user('star');
    await watches(early, 2);
    const late = await watcher('late', ['star']);
    expect(await watches(late, 1)).toEqual(['+star']);
    await star.disconnect();
    expect(await watches(early, 3)).toEqual(['-star', '+star', '-star']);
    expect(await watches(late, 2)).toEqual(['+star', '-star']);
  });

  it('names each user once, and has ids that nobody can sign in with', async () => {
    const ids = ['twice', 'twice', '', 'x'.repeat(200), '__proto__', 'toString'];
    const client = await watcher('odd', ids);
    expect((await watches(client, 5)).toSorted()).toEqual(
      ['-twice', '-', `-${'x'.repeat(200)}`, '-__proto__', '-toString'].toSorted(),
    );
    await user('__proto__');
    expect((await watches(client, 6)).at(-1)).toBe('+__proto__');
  });

  it('has a hundred users: of more the first hundred count, and the client is told', async () => {
    const ids = Array.from({ length: 120 }, (_, n) => `crowd-${n}`);
    await user('crowd-99');
    await user('crowd-100');
    const client = await watcher('busy', ids);
    expect(await client.receive('pusher:error')).toEqual({
      event: 'pusher:error',
      data: { code: 4302, message: 'Watchlist limit exceeded. Only the first 100 user IDs are accepted.' },
    });
    const told = await watches(client, 100);
    expect(told.filter((word) => word.startsWith('+'))).toEqual(['+crowd-99']);
    expect(told).toHaveLength(100);
    await user('crowd-5');
    expect((await watches(client, 101)).at(-1)).toBe('+crowd-5');
    await client.subscribe('still-connected');
  });

  it('that is empty says nothing', async () => {
    const client = await watcher('content', []);
    await client.subscribe('mark');
    expect((await client.settle()).map(({ event }) => event)).not.toContain(WATCHLIST_EVENTS);
  });

  it('is replaced by that of another sign-in', async () => {
    const client = await watcher('moody', ['first']);
    await watches(client, 1);
    await client.signin({ id: 'moody', watchlist: ['second'] });
    expect(await watches(client, 2)).toEqual(['-first', '-second']);
    await user('first');
    await user('second');
    expect(await watches(client, 3)).toEqual(['-first', '-second', '+second']);
  });

  it('knows its own app only', async () => {
    const client = await watcher('homely', ['neighbour']);
    await watches(client, 1);
    const stranger = await gateway.dial(gateway.url(OTHER.key), { app: OTHER }).established();
    await stranger.signin({ id: 'neighbour' });
    const mark = await watcher('mark', ['mark-user']);
    await watches(mark, 1);
    await user('mark-user');
    await watches(mark, 2);
    await client.settle();
    expect(watched(client)).toEqual(['-neighbour']);
  });

  it('leaves nothing behind when its client is gone', async () => {
    const client = await watcher('leaver', ['unseen']);
    await watches(client, 1);
    await client.disconnect();
    // Whoever comes now is told to nobody, and the server goes on.
    await user('unseen');
    const next = await watcher('next', ['unseen']);
    expect(await watches(next, 1)).toEqual(['+unseen']);
  });
});
