import type { Connection } from '@pogo/hub';
import { PusherErrors } from '@pogo/pusher-protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { happens, Heard, join, RealClients, type Page } from '../support/pusher-clients.js';

let clients: RealClients;
afterEach(() => clients.stop());

/** The delays, ms, that pusher-js has decided to wait before dialling again, from its own journal. */
function retryDelays(page: Page): number[] {
  return (page.timeline.events as { action?: string; delay?: number }[]).flatMap(({ action, delay }) =>
    action === 'retry' && delay !== undefined ? [delay] : [],
  );
}

/** What pusher-js reports with the action that it takes upon a code. */
function acted(code: number, message: string): object {
  return { type: 'WebSocketError', error: { type: 'PusherError', data: { code, message } } };
}

describe('a client that is refused for capacity', () => {
  it('backs off before every further dial, and gets in when there is room', async () => {
    clients = await RealClients.start({ settings: { max_connections: '1' } });
    const first = await clients.connect();
    const log = new Heard<string>();
    clients.onDial(() => log.note('dials'));
    const second = clients.page();
    const errors = new Heard();
    second.connection.bind('error', errors.note);
    second.connection.bind('connecting_in', (seconds: number) => log.note(`waits ${seconds} s`));
    // A client that hammers would have dialled again where this one waits.
    expect(await log.reaches(5)).toEqual(['dials', 'waits 1 s', 'dials', 'waits 1 s', 'dials']);
    expect(retryDelays(second)).toEqual([1000, 1000]);
    expect(errors.all).toEqual([acted(4100, 'Over capacity'), acted(4100, 'Over capacity')]);
    expect(first.connection.state).toBe('connected');
    const connected = happens(second.connection, 'connected');
    first.disconnect();
    await connected;
    expect(clients.gateway.hub.connectionCount).toBe(1);
  });
});

describe('a client of a node that drains', () => {
  it('dials again at once after the 4200, is refused with 4100, and backs off from then on', async () => {
    clients = await RealClients.start();
    const page = await clients.connect();
    const errors = new Heard();
    page.connection.bind('error', errors.note);
    const dials = new Heard<void>();
    clients.onDial(() => dials.note());
    await clients.gateway.hub.drain(0);
    await dials.reaches(3);
    // One decision for the 4200 and one for each refusal; the 1000 behind the 0 is pusher-js's own for any closed
    // connection, and void because the 0 comes first. A client that hammers decides on 0 every time.
    expect(retryDelays(page)).toEqual([0, 1000, 1000, 1000]);
    // A close is reported twice, a refusal once.
    expect(errors.all).toEqual([
      { type: 'PusherError', data: { code: 4200, message: 'Server is restarting' } },
      acted(4200, 'Server is restarting'),
      acted(4100, 'Server is restarting'),
      acted(4100, 'Server is restarting'),
    ]);
    expect(clients.gateway.hub.connectionCount).toBe(0);
  });
});

describe('a client that is closed with 4200', () => {
  it('is back at once, before one that was closed with 4100 ahead of it, and has its channels again', async () => {
    clients = await RealClients.start();
    const connections = new Map<string, Connection>();
    clients.gateway.events.on('connectionOpened', ({ connection }) => connections.set(connection.socketId, connection));
    const sentAway = await clients.connect();
    const backingOff = await clients.connect();
    const before = { sentAway: sentAway.connection.socket_id, backingOff: backingOff.connection.socket_id };
    const news = await join(sentAway, 'news');
    const subscribedAgain = happens(news, 'pusher:subscription_succeeded');
    const back = new Heard<string>();
    sentAway.connection.bind('connected', () => back.note('closed with 4200'));
    backingOff.connection.bind('connected', () => back.note('closed with 4100'));

    connections.get(before.backingOff)?.closeQuietly(PusherErrors.overCapacity);
    connections.get(before.sentAway)?.closeQuietly(PusherErrors.draining);

    expect(await back.reaches(2)).toEqual(['closed with 4200', 'closed with 4100']);
    expect(retryDelays(sentAway)[0]).toBe(0);
    expect(retryDelays(backingOff)[0]).toBe(1000);
    expect(sentAway.connection.socket_id).not.toBe(before.sentAway);
    await subscribedAgain;
    const heard = happens(news, 'posted');
    await clients.server.trigger('news', 'posted', 'still here');
    expect(await heard).toBe('still here');
  });
});
