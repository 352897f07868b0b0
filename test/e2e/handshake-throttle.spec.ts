import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { RateLimitService } from '@pogo/hub';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Client } from '../support/client.js';
import { APP, TestGateway } from '../support/gateway.js';
import { upgradeRequest } from '../support/raw-socket.js';
import { StillClock } from '../support/still-clock.js';

let gateway: TestGateway;
const start = async (settings: Record<string, string> = {}) => (gateway = await TestGateway.start({ settings }));
afterEach(() => gateway.stop());

/** So slow that nothing flows in while a test runs. */
const SLOW = '0.001';

/** A client as a proxy on this machine hands it on. */
const from = (forwardedFor: string) => gateway.dial(gateway.url(), { headers: { 'X-Forwarded-For': forwardedFor } });

/** 101, or the HTTP status that the handshake was refused with. */
async function statusOf(client: Client): Promise<number> {
  try {
    await client.established();
    return 101;
  } catch (error) {
    return Number(/Unexpected server response: (\d+)/.exec(String(error))?.[1]);
  }
}

/** The raw answer to a handshake. */
async function answerTo(path: string): Promise<string> {
  const socket = connectTcp(gateway.port, '127.0.0.1');
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  let answer = '';
  socket.on('data', (bytes) => (answer += bytes.toString()));
  await once(socket, 'close');
  return answer;
}

describe('The handshake throttle', () => {
  it('lets an address connect as often as the burst says, then answers 429 and when to come again', async () => {
    await start({ handshake_rate: SLOW, handshake_burst: '2' });
    const codes: number[] = [];
    gateway.events.on('handshakeRejected', ({ code }) => codes.push(code));
    await gateway.connect();
    await gateway.connect();
    const answer = await answerTo(`/app/${APP.key}`);
    expect(answer).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\n/);
    expect(Number(/\r\nRetry-After: (\d+)\r\n/.exec(answer)?.[1])).toBeGreaterThan(900);
    expect(codes).toEqual([429]);
    expect(gateway.hub.connectionCount).toBe(2);
  });

  it('does not believe who resets its connection at once, as it would believe the Unix socket', async () => {
    await start();
    const asked = vi.spyOn(gateway.app.get(RateLimitService), 'takeHandshake');
    const victim = '203.0.113.9';
    for (let i = 0; i < 20; i++) {
      const socket = connectTcp(gateway.port, '127.0.0.1');
      await once(socket, 'connect');
      await new Promise((resolve) =>
        socket.write(upgradeRequest(`/app/${APP.key}`, { 'X-Forwarded-For': victim }), resolve),
      );
      socket.resetAndDestroy();
    }
    // Behind all of them.
    await gateway.connect();
    const clients = asked.mock.calls.map(([clientIp]) => clientIp);
    expect(clients).not.toContain(victim);
    expect(clients).not.toContain(undefined);
    expect(clients.length).toBeGreaterThan(1);
  });

  it('comes before everything else that is checked, and counts what is refused later', async () => {
    await start({ handshake_rate: SLOW, handshake_burst: '1' });
    await gateway.dial(gateway.url('unknown')).closing();
    for (const path of ['/elsewhere', '/app/unknown', `/app/${APP.key}?protocol=4`]) {
      expect(await answerTo(path)).toMatch(/^HTTP\/1\.1 429 /);
    }
  });

  it.each(['-1', '1000000'])('does not limit at a rate of %s', async (rate) => {
    await start({ handshake_rate: rate, handshake_burst: '1000' });
    await Promise.all(Array.from({ length: 200 }, () => gateway.connect()));
  });

  it('is 100 a second after a burst of 50 unless told otherwise', async () => {
    await start({ handshake_rate: '0', handshake_burst: '0' });
    const clock = new StillClock();
    const admitted = async (dialed: number) => {
      const outcomes = await Promise.all(Array.from({ length: dialed }, () => statusOf(gateway.dial())));
      expect(new Set(outcomes)).toEqual(new Set([101, 429]));
      return outcomes.filter((outcome) => outcome === 101).length;
    };
    expect(await admitted(120)).toBe(50);
    clock.advance(300);
    expect(await admitted(60)).toBe(30);
  });

  it('is for each client behind a trusted proxy', async () => {
    await start({ handshake_rate: SLOW, handshake_burst: '1', trusted_proxies: '127.0.0.1,10.0.0.0/8' });
    await from('203.0.113.1').established();
    expect(await statusOf(from('203.0.113.1'))).toBe(429);
    expect(await statusOf(from('198.51.100.77, 203.0.113.1, 10.1.1.1'))).toBe(429);
    await from('203.0.113.2').established();
    await from('2001:db8::1').established();
    expect(await statusOf(from('2001:db8::ffff'))).toBe(429);
    await from('2001:db8:0:1::1').established();
  });

  it('does not believe what a client says about itself', async () => {
    await start({ handshake_rate: SLOW, handshake_burst: '1' });
    await from('203.0.113.1').established();
    expect(await statusOf(from('203.0.113.2'))).toBe(429);
  });
});

describe('The connections of one address', () => {
  const OVER_CAPACITY = { code: 4100, reason: 'Over capacity' };

  it('are limited, and refused so that pusher-js backs off', async () => {
    await start({ max_connections_per_ip: '2', trusted_proxies: '127.0.0.1' });
    const first = await from('203.0.113.1').established();
    await from('203.0.113.1').established();
    expect(await from('203.0.113.1').closing()).toEqual(OVER_CAPACITY);
    await from('203.0.113.2').established();
    await first.disconnect();
    await from('203.0.113.1').established();
    expect(await from('203.0.113.1').closing()).toEqual(OVER_CAPACITY);
  });

  it('are those of a /64 of IPv6', async () => {
    await start({ max_connections_per_ip: '1', trusted_proxies: '127.0.0.1' });
    await from('2001:db8::1').established();
    expect(await from('2001:db8::2').closing()).toEqual(OVER_CAPACITY);
    await from('2001:db8:0:1::1').established();
  });

  it('are counted down however they end', async () => {
    await start({ max_connections_per_ip: '1' });
    const client = await gateway.connect();
    client.send(Buffer.from('binary frames are not supported'));
    await client.closing();
    const other = await gateway.connect();
    other.terminate();
    await new Promise<void>((resolve) => gateway.events.on('connectionClosed', () => resolve()));
    await gateway.connect();
  });

  it.each(['0', '-1'])('are not limited by %s', async (limit) => {
    await start({ max_connections_per_ip: limit });
    await Promise.all(Array.from({ length: 20 }, () => gateway.connect()));
  });
});
