import { once } from 'node:events';
import net from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '@pogo/hub';
import type { Client } from '../support/client.js';
import { APP, TestGateway } from '../support/gateway.js';
import { Log } from '../support/log.js';
import { testPair } from '../support/tls/certificates.js';
import { dialTls, httpsServer, untilNoConnections } from '../support/tls/sockets.js';
import { trust } from '../support/tls/trust.js';
import { expectServed, untilConnections } from '../support/well-behaved.js';

const { cert, certPath, keyPath } = testPair('first');
const TLS = { tls_cert: certPath, tls_key: keyPath };

let distrust: () => void;
beforeAll(() => {
  distrust = trust(cert);
});
afterAll(() => distrust());

describe('A peer on the TLS port', () => {
  let gateway: TestGateway;
  const log = new Log();

  beforeAll(async () => {
    gateway = await TestGateway.start({ settings: TLS, logger: log });
    // Without connections that are kept for a next request, what is counted below is the peer's.
    httpsServer(gateway).keepAliveTimeout = 1;
  });
  afterEach(() => expectServed(gateway));
  afterAll(() => gateway.stop());

  it('that does not finish its handshake is cut off within seconds, and leaves nothing behind', async () => {
    log.take('');
    const peers = [
      '',
      '\x16',
      // The beginning of a real first message.
      Buffer.from('1603010200010001fc0303', 'hex'),
      'GET /up HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'SSH-2.0-OpenSSH_9.2\r\n',
    ];
    await Promise.all(
      peers.map(async (bytes) => {
        const socket = net.connect({ port: gateway.port, host: '127.0.0.1' });
        socket.on('error', () => undefined).resume();
        socket.write(bytes);
        await once(socket, 'close');
      }),
    );
    await untilNoConnections(gateway);
    // Whatever it was, it is the peer's fault, and the business of nobody who did not ask for it.
    expect(log.lines.filter((line) => !line.startsWith('debug '))).toEqual([]);
    const reasons = log.take('no handshake').map((line) => line.split(': ', 2)[1]);
    expect(reasons).toHaveLength(peers.length);
    expect(new Set(reasons)).toEqual(new Set(['ERR_TLS_HANDSHAKE_TIMEOUT', 'http request', expect.anything()]));
  });

  it('that resets its connection in the middle of the handshake does no harm', async () => {
    for (let i = 0; i < 50; i++) {
      const socket = net.connect({ port: gateway.port, host: '127.0.0.1' });
      await once(socket, 'connect');
      socket.write(Buffer.from('1603010200010001fc0303', 'hex'), () => socket.resetAndDestroy());
      await once(socket, 'close');
    }
    await untilNoConnections(gateway);
  });

  it('that has finished its handshake and sends no request, or half of one, is cut off as it is without TLS', async () => {
    const peers = ['', 'GET /up HTTP/1.1\r\nHost: localhost\r\n', 'hello\r\n\r\n'];
    await Promise.all(
      peers.map(async (bytes) => {
        const socket = await dialTls(gateway);
        socket.on('error', () => undefined).resume();
        socket.write(bytes);
        await once(socket, 'close');
      }),
    );
    await untilNoConnections(gateway);
  });
});

describe.each([
  ['over TLS', TLS],
  ['without TLS', {}],
])('A client %s', (_how, tls) => {
  it('that keeps up gets a burst of one turn completely', async () => {
    const { gateway, client } = await start(tls);
    const numbers = Array.from({ length: 1_000 }, (_, n) => n);
    await Promise.all(numbers.map((n) => publish(gateway, n, 200)));
    await client.reaches('numbered', 1_000);
    expect(numbersOf(client)).toEqual(numbers);
    await gateway.stop();
  });

  it('that keeps up gets a burst of one turn in many channels completely', async () => {
    const { gateway, client } = await start(tls);
    const channels = Array.from({ length: 10 }, (_, i) => `channel-${i}`);
    for (const channel of channels) await client.subscribe(channel);
    const numbers = Array.from({ length: 80 }, (_, n) => n);
    await Promise.all(numbers.flatMap((n) => channels.map((channel) => publish(gateway, n, 200, channel))));
    await client.reaches('numbered', 800);
    expect(numbersOf(client, 'channel-7')).toEqual(numbers);
    await gateway.stop();
  });

  it('that stalls has its events held, and gets all of them in order when it goes on', async () => {
    const bounds = { outbound_queue_size: '100000', outbound_queue_bytes: '256MiB' };
    const { gateway, client, connection, buffered } = await start({ ...tls, ...bounds });
    client.socket.pause();
    let count = 0;
    // Some more after the kernel took no more: these wait in the outbox.
    for (let more = 200; more > 0; count++) {
      await publish(gateway, count, 16_384);
      if (connection.blockedSince !== undefined) more--;
    }
    expect(buffered()).toBeLessThan(512 * 1_024);
    client.socket.resume();
    await client.reaches('numbered', count);
    expect(numbersOf(client)).toEqual(Array.from({ length: count }, (_, n) => n));
    expect(connection.blockedSince).toBeUndefined();
    await gateway.stop();
  });

  it('that stalls for longer than its bound is let go, and what was held for it as well', async () => {
    const { gateway, client, connection, buffered } = await start(tls);
    const healthy = await gateway.connect();
    await healthy.subscribe('room');
    client.socket.pause();
    const dropped: string[] = [];
    gateway.events.on('eventDropped', ({ reason }) => dropped.push(reason));
    let count = 0;
    let most = 0;
    for (; connection.isOpen; count++) {
      await publish(gateway, count, 16_384);
      most = Math.max(most, buffered());
    }
    expect(most).toBeLessThan(512 * 1_024);
    expect(dropped).toEqual(['outbox_full']);
    await healthy.reaches('numbered', count);
    await healthy.disconnect();
    await untilConnections(gateway, 0);
    // It was reset: of what the kernel held for it nothing comes any more.
    await untilNoConnections(gateway);
    client.socket.resume();
    await client.closing();
    expect(numbersOf(client).length).toBeLessThan(count / 2);
    await gateway.stop();
  });

  it('that stalls with slow_consumer = drop misses what was counted, and nothing else', async () => {
    const { gateway, client, connection } = await start({ ...tls, slow_consumer: 'drop' });
    let dropped = 0;
    gateway.events.on('eventDropped', ({ count }) => (dropped += count));
    client.socket.pause();
    let count = 0;
    for (; dropped < 100; count++) await publish(gateway, count, 16_384);
    client.socket.resume();
    await client.reaches('numbered', count - dropped);
    expect(connection.isOpen).toBe(true);
    await publish(gateway, count, 16_384);
    await client.reaches('numbered', count - dropped + 1);
    const numbers = numbersOf(client);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect([new Set(numbers).size, numbers.at(-1)]).toEqual([count - dropped + 1, count]);
    await gateway.stop();
  });
});

interface Stalling {
  readonly gateway: TestGateway;
  /** Subscribed to `room`. */
  readonly client: Client;
  readonly connection: Connection;
  /** Bytes that the server's stream holds because the kernel does not take them. */
  readonly buffered: () => number;
}

async function start(settings: Readonly<Record<string, string>>): Promise<Stalling> {
  const gateway = await TestGateway.start({ settings: { write_wait: '1h', ...settings } });
  const opened = new Promise<Connection>((resolve) => {
    gateway.events.on('connectionOpened', ({ connection }) => resolve(connection));
  });
  const upgraded = once(gateway.app.getHttpServer(), 'upgrade') as Promise<[unknown, net.Socket]>;
  const client = await gateway.connect();
  await client.subscribe('room');
  const [, stream] = await upgraded;
  return { gateway, client, connection: await opened, buffered: () => stream.writableLength };
}

/** Publishes event number `n` with as many bytes of data. */
async function publish(gateway: TestGateway, n: number, bytes: number, channel = 'room'): Promise<void> {
  expect(await gateway.hub.publish(APP.id, channel, 'numbered', `${n} `.padEnd(bytes, 'x'))).toBe(0);
}

function numbersOf({ received }: Client, channel = 'room'): number[] {
  const events = received.filter((message) => message.event === 'numbered' && message.channel === channel);
  return events.map(({ data }) => Number(String(data).split(' ', 1)[0]));
}
