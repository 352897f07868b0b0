import { describe, expect, it } from 'vitest';
import type { ClientMessage } from '@pogo/pusher-protocol';
import { completeApp, type App } from './app/app.js';
import { Connection, type ConnectionHost } from './connection.js';
import { HubCounters } from './hub-counters.js';
import { HubOptions } from './hub-options.js';
import type { MessageHandler } from './inbox.js';
import { Pacer } from './pacer.js';
import { FakeSocket } from './testing/hub-harness.js';
import { eventually } from './testing/test-api.js';

const OFF: Partial<App> = { clientMessageRate: undefined };

function open(handler: MessageHandler, app: Partial<App> = OFF, limits = { maxMessages: 4, maxBytes: 1_000 }) {
  let now = 0;
  const host: ConnectionHost = {
    options: new HubOptions(),
    inboxSettings: { ...limits, pacer: new Pacer(() => now) },
    now: () => now,
    connectionClosing: () => undefined,
    connectionBlocked: () => undefined,
    connectionDrained: () => undefined,
    outboxFull: () => undefined,
    outboxWritten: () => undefined,
    counters: new HubCounters(),
  };
  const socket = new FakeSocket();
  const settings = completeApp({ id: '1', key: 'k', secret: 's', ...app });
  const connection = new Connection('1.2', settings, socket, handler, host);
  return { connection, socket, advance: (ms: number) => void (now += ms) };
}

const subscribeTo = (channel: string): ClientMessage => ({ event: 'pusher:subscribe', channel });
const event = (n: number): ClientMessage => ({ event: `client-${n}`, channel: 'private-a' });
const nameOf = (message: ClientMessage) =>
  'channel' in message ? `${message.event} ${message.channel}` : message.event;

/** A handler whose subscriptions finish when told to, and whose other messages are synchronous. */
function heldBack() {
  const handled: string[] = [];
  const finish: (() => void)[] = [];
  const handler: MessageHandler = (_connection, message) => {
    handled.push(nameOf(message));
    return message.event === 'pusher:subscribe' ? new Promise<void>((resolve) => finish.push(resolve)) : undefined;
  };
  return { handled, finish, handler };
}

describe('Inbox', () => {
  it('handles a synchronous message at once', () => {
    const { handled, handler } = heldBack();
    const { connection } = open(handler);
    connection.receive(event(1), 10);
    connection.receive(event(2), 10);
    expect(handled).toEqual(['client-1 private-a', 'client-2 private-a']);
  });

  it('makes everything wait for a message that takes time, and keeps the order', async () => {
    const { handled, finish, handler } = heldBack();
    const { connection } = open(handler);
    const messages = [subscribeTo('a'), event(1), subscribeTo('b'), event(2), { event: 'invalid' } as const];
    for (const message of messages) connection.receive(message, 10);
    expect(handled).toEqual(['pusher:subscribe a']);
    finish[0]?.();
    await eventually(() => handled.length === 3);
    expect(handled).toEqual(['pusher:subscribe a', 'client-1 private-a', 'pusher:subscribe b']);
    finish[1]?.();
    await eventually(() => handled.length === 5);
    expect(handled.slice(3)).toEqual(['client-2 private-a', 'invalid']);
  });

  it('goes on after a handler that rejects', async () => {
    const handled: string[] = [];
    const { connection } = open((_connection, message) => {
      handled.push(message.event);
      return message.event === 'invalid' ? Promise.reject(new Error('a fault')) : undefined;
    });
    connection.receive({ event: 'invalid' }, 10);
    connection.receive(event(1), 10);
    await eventually(() => handled.length === 2);
  });

  it.each([
    ['messages', { maxMessages: 2, maxBytes: 1_000 }, 10],
    ['bytes', { maxMessages: 100, maxBytes: 40 }, 20],
  ])('stops reading when too many %s wait, and reads on when they are handled', async (_name, limits, bytes) => {
    const { handled, finish, handler } = heldBack();
    const { connection, socket } = open(handler, OFF, limits);
    connection.receive(subscribeTo('a'), bytes);
    connection.receive(event(1), bytes);
    expect(socket.isPaused).toBe(false);
    connection.receive(event(2), bytes);
    expect(socket.isPaused).toBe(true);
    expect(connection.isPaused).toBe(true);
    finish[0]?.();
    await eventually(() => handled.length === 3);
    expect(socket.isPaused).toBe(false);
  });

  it('rejects client events over the rate and makes everything else wait for a token', async () => {
    const { handled, handler } = heldBack();
    const { connection, socket, advance } = open(handler, { clientMessageRate: { perSecond: 10, burst: 2 } });
    for (let n = 1; n <= 3; n++) connection.receive(event(n), 10);
    expect(handled).toEqual(['client-1 private-a', 'client-2 private-a']);
    expect(socket.events).toEqual([
      { event: 'pusher:error', data: { code: 4301, message: 'Client event rejected due to rate limit' } },
    ]);
    connection.receive({ event: 'pusher:unsubscribe', channel: 'a' }, 10);
    connection.receive({ event: 'invalid' }, 10);
    expect([handled.length, socket.isPaused]).toEqual([2, true]);
    advance(100);
    await eventually(() => handled.length === 3);
    expect(socket.isPaused).toBe(true);
    advance(100);
    await eventually(() => handled.length === 4);
    expect(handled.slice(2)).toEqual(['pusher:unsubscribe a', 'invalid']);
    expect(socket.isPaused).toBe(false);
  });

  it('handles nothing more once the connection is closed', async () => {
    const { handled, finish, handler } = heldBack();
    const { connection } = open(handler);
    connection.receive(subscribeTo('a'), 10);
    connection.receive(event(1), 10);
    connection.handleClose();
    finish[0]?.();
    connection.receive(event(2), 10);
    await new Promise((resolve) => setImmediate(resolve));
    expect(handled).toEqual(['pusher:subscribe a']);
  });
});
