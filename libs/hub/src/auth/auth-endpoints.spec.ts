import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseChannelName, type ChannelName } from '@pogo/pusher-protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { completeApp } from '../app/app.js';
import type { AuthEndpoint } from './auth-endpoint.js';
import { AuthEndpoints } from './auth-endpoints.js';
import { NO_HANDSHAKE } from './handshake.js';

const SETTINGS = { timeoutMs: 60_000, maxConcurrent: 1, maxIdleSockets: 1, maxBodyBytes: 1_000 };
const REQUEST = {
  app: completeApp({ id: '1', key: 'key', secret: 'secret' }),
  socketId: '1.2',
  handshake: NO_HANDSHAKE,
  channel: parseChannelName('private-a', 200) as ChannelName,
};

let server: Server;
let endpoints: AuthEndpoints;
/** What is not answered yet. */
const held: ServerResponse[] = [];
beforeEach(async () => {
  held.length = 0;
  server = createServer((_request, response) => held.push(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  endpoints = new AuthEndpoints(SETTINGS, { opened: () => undefined, closed: () => undefined }, 3);
});
afterEach(() => {
  endpoints.close();
  server.close();
});

const get = (name: string) =>
  endpoints.get(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`) as AuthEndpoint;

/** Asks, and resolves when the server has the request; `answer` is for the answer. */
async function occupy(endpoint: AuthEndpoint): Promise<{ readonly answer: Promise<unknown> }> {
  const received = once(server, 'request');
  const answer = Promise.resolve(endpoint.ask(REQUEST));
  await received;
  return { answer };
}

describe('the table of authorization endpoints', () => {
  it('has one for each URL', () => {
    expect(get('a')).toBe(get('a'));
    expect(get('b')).not.toBe(get('a'));
  });

  it('lets the one go that nobody has used for longest', () => {
    const [a, b, c] = [get('a'), get('b'), get('c')];
    get('a');
    get('d');
    expect(b.isOpen).toBe(false);
    expect([a, c].map(({ isOpen }) => isOpen)).toEqual([true, true]);
    expect(get('a')).toBe(a);
    expect(get('c')).toBe(c);
    expect(get('b')).not.toBe(b);
  });

  it('keeps those whose answers are awaited, and has no room when all are', async () => {
    const [a, b, c] = [get('a'), get('b'), get('c')];
    const { answer } = await occupy(a);
    get('d');
    expect(b.isOpen).toBe(false);
    expect(get('a')).toBe(a);
    await occupy(c);
    await occupy(get('d'));
    expect(get('e')).toBeUndefined();
    expect(get('c')).toBe(c);
    held[0]?.end('{"auth":"key:x"}');
    expect(await answer).toEqual({ auth: 'key:x' });
    expect(get('e')).toBeDefined();
    expect(a.isOpen).toBe(false);
  });

  it('closes the idle connections of those that it lets go', async () => {
    const ended = new Promise((resolve) => server.on('connection', (socket) => socket.on('close', resolve)));
    const { answer } = await occupy(get('a'));
    held[0]?.end('{"auth":"key:x"}');
    await answer;
    for (const name of ['b', 'c', 'd']) get(name);
    await ended;
  });

  it('cuts off what is awaited when it is closed', async () => {
    const { answer } = await occupy(get('a'));
    endpoints.close();
    expect(await answer).toMatchObject({ decision: 'deny', failure: 'dispatch_error' });
  });
});

describe('an authorization endpoint', () => {
  it('denies at once, without a promise, who is over the limit, and lets go of a place with its answer', async () => {
    const endpoint = get('a');
    const { answer } = await occupy(endpoint);
    const denial = endpoint.ask(REQUEST);
    expect(denial).toMatchObject({ decision: 'deny', failure: 'concurrency_limit' });
    // Nothing is made for anybody.
    expect(endpoint.ask({ ...REQUEST, socketId: '3.4' })).toBe(denial);
    held[0]?.writeHead(403).end();
    expect(await answer).toMatchObject({ failure: 'denied' });
    expect(endpoint.isIdle).toBe(true);
  });

  it('lets go of a place when a request cannot be sent at all', async () => {
    const endpoint = get('a');
    const handshake = { ...NO_HANDSHAKE, headers: { cookie: 'a\nb' } };
    await expect(endpoint.ask({ ...REQUEST, handshake })).rejects.toThrow('Invalid character in header content');
    expect(endpoint.isIdle).toBe(true);
  });
});
