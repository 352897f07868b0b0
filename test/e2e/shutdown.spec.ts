import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { TestGateway } from '../support/gateway.js';

/** A TCP connection that has said `text` and says nothing more. */
async function dial(port: number, text: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  if (text !== '') await new Promise<void>((resolve) => socket.write(text, () => resolve()));
  return socket;
}

describe('a gateway that listens', () => {
  it('gives a request five seconds for its headers and thirty for all of it', async () => {
    const gateway = await TestGateway.start();
    const { headersTimeout, requestTimeout } = gateway.app.getHttpServer();
    expect([headersTimeout, requestTimeout]).toEqual([5_000, 30_000]);
    await gateway.stop();
  });
});

describe('a gateway that shuts down', () => {
  it.each([
    ['says nothing', ''],
    ['has sent half a request', 'POST /apps/1/events HTTP/1.1\r\nHost: a\r\n'],
    ['has sent half a body', 'POST /apps/1/events HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345'],
    ['keeps its connection alive', 'GET /up HTTP/1.1\r\nHost: a\r\n\r\n'],
    [
      'offers HTTP/2 and half a body',
      'POST /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 10\r\n\r\n1',
    ],
  ])('is not held open by a client that %s', async (_what, text) => {
    const gateway = await TestGateway.start({ settings: { shutdown_timeout: '1s' } });
    const socket = await dial(gateway.port, text);
    socket.resume();
    const client = await gateway.connect();
    await Promise.all([gateway.app.close(), once(socket, 'close')]);
    expect((await client.closing()).code).toBe(4200);
  });

  it('closes its clients with 4200, also those that do not answer, and records their departure', async () => {
    const gateway = await TestGateway.start();
    const [polite, deaf] = [await gateway.connect(), await gateway.connect()];
    await polite.subscribe('presence-room', { user_id: 'polite' });
    await deaf.subscribe('presence-room', { user_id: 'deaf' });
    deaf.socket.pause();
    const left: string[] = [];
    gateway.events.on('memberRemoved', ({ member }) => left.push(member.userId));
    await gateway.app.close();
    expect(await polite.closing()).toEqual({ code: 4200, reason: 'Server is restarting' });
    expect(left.sort()).toEqual(['deaf', 'polite']);
  });
});
