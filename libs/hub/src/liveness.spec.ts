import { describe, expect, it } from 'vitest';
import { completeApp } from './app/app.js';
import { Connection, type ConnectionHost } from './connection.js';
import { HubCounters } from './hub-counters.js';
import { HubOptions } from './hub-options.js';
import { Liveness } from './liveness.js';
import { Pacer } from './pacer.js';
import { Sweeper } from './sweeper.js';
import { FakeSocket } from './testing/hub-harness.js';

const TICK = 100;
const app = completeApp({ id: '1', key: 'k', secret: 's' });

function start(settings = { pingPeriodMs: 8_000, pongWaitMs: 9_000 }) {
  let monotonic = 0;
  const sweeper = new Sweeper(TICK, () => monotonic);
  const liveness = new Liveness(settings, TICK);
  sweeper.add((now) => liveness.sweep(now));
  const host: ConnectionHost = {
    options: new HubOptions(),
    inboxSettings: { maxMessages: 1, maxBytes: 1, pacer: new Pacer() },
    now: () => sweeper.now(),
    connectionClosing: (connection) => liveness.remove(connection),
    connectionBlocked: () => undefined,
    connectionDrained: () => undefined,
    outboxFull: () => undefined,
    outboxWritten: () => undefined,
    counters: new HubCounters(),
  };
  const connect = () => {
    const socket = new FakeSocket();
    const connection = new Connection('1.2', app, socket, () => new Promise<void>(() => undefined), host);
    liveness.add(connection, sweeper.now());
    return { socket, connection };
  };
  /** Lets time pass tick by tick. */
  const pass = (ms: number, each: () => void = () => undefined) => {
    for (let at = 0; at < ms; at += TICK) {
      monotonic += TICK;
      sweeper.tick();
      each();
    }
  };
  /** Time in which the process did not run at all. */
  const freeze = (ms: number) => {
    monotonic += ms;
    sweeper.tick();
  };
  return { connect, pass, freeze };
}

describe('Liveness', () => {
  it('pings once per period and lets live connections be', () => {
    const { connect, pass } = start();
    const { socket } = connect();
    pass(80_000, () => (socket.bytesRead += 1));
    expect(socket.pings).toBeGreaterThanOrEqual(9);
    expect(socket.pings).toBeLessThanOrEqual(10);
    expect(socket.closed).toBeUndefined();
  });

  it('closes with 4201 a connection that was pinged and stayed silent', () => {
    const { connect, pass } = start();
    const { socket } = connect();
    pass(8_500);
    expect([socket.pings, socket.closed]).toEqual([1, undefined]);
    pass(3_000);
    expect(socket.closed).toEqual({ code: 4201, reason: 'Pong reply not received in time' });
    expect(socket.received).toEqual([]);
  });

  it('takes any inbound byte for a sign of life', () => {
    const { connect, pass } = start();
    const { socket } = connect();
    pass(8_500);
    socket.bytesRead += 1;
    pass(7_000);
    expect(socket.closed).toBeUndefined();
    pass(12_000);
    expect(socket.closed?.code).toBe(4201);
  });

  it('kills nobody for time in which the process itself stood still', () => {
    const { connect, pass, freeze } = start();
    const { socket } = connect();
    pass(8_500);
    freeze(600_000);
    expect(socket.closed).toBeUndefined();
    socket.bytesRead += 1;
    pass(7_000);
    expect(socket.closed).toBeUndefined();
  });

  it('does not judge a connection that is not read', () => {
    const { connect, pass } = start();
    const { socket, connection } = connect();
    connection.receive({ event: 'invalid' }, 10);
    connection.receive({ event: 'invalid' }, 10);
    expect(socket.isPaused).toBe(true);
    pass(60_000);
    expect(socket.closed).toBeUndefined();
  });

  it('spreads the pings of many connections that came at once evenly over the period', () => {
    const { connect, pass } = start();
    const sockets = Array.from({ length: 100 }, () => connect().socket);
    const total = () => sockets.reduce((sum, { pings }) => sum + pings, 0);
    let most = 0;
    let before = 0;
    pass(16_000, () => {
      for (const socket of sockets) socket.bytesRead += 1;
      most = Math.max(most, total() - before);
      before = total();
    });
    expect(total()).toBeGreaterThanOrEqual(180);
    expect(total()).toBeLessThanOrEqual(200);
    // 1.25 on average; connections are looked at every 10 ticks.
    expect(most).toBeLessThanOrEqual(5);
  });

  it('forgets a connection that is gone', () => {
    const { connect, pass } = start();
    const { socket, connection } = connect();
    connection.closeQuietly({ code: 4200, message: 'bye' });
    pass(60_000);
    expect([socket.pings, socket.closed?.code]).toEqual([0, 4200]);
  });
});
