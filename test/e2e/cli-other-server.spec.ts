import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { pogo } from '../support/cli.js';

const env = { POGO_WS_APP_KEY: 'k', POGO_WS_APP_SECRET: 's' };

/** A server of something else, which answers /up as a gateway does, 200 to all, and `greeting` to a WebSocket. */
async function withOther(greeting: string, test: (base: string) => Promise<void>): Promise<void> {
  const server = createServer(({ url }, response) => {
    response.end(url === '/up' ? '{"status":"ok"}' : '<html>Welcome</html>');
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.send(greeting));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await test(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}

describe('pogo, where something else than the gateway answers', () => {
  it.each(['hello', 'null', '[]', '{"event":"pusher:connection_established","data":"{"}', '{"type":"connected"}'])(
    'says so when a WebSocket is told %s',
    async (greeting) => {
      await withOther(greeting, async (base) => {
        const { code, out } = await pogo(['doctor', base, '--timeout', '2'], env);
        expect(code).toBe(1);
        expect(out).toMatch(/^WRONG {4}websocket {2}.*not the Pusher protocol/m);
        expect(out).toMatch(/^WRONG {4}publish {4}.*not by the gateway/m);
        const bench = await pogo(['bench', base, '--connections', '1', '--timeout', '2'], env);
        expect([bench.code, bench.err]).toEqual([1, expect.stringContaining('not the Pusher protocol')]);
      });
    },
  );

  it('believes a refusal that lacks what one has', async () => {
    await withOther('{"event":"pusher:error","data":null}', async (base) => {
      expect((await pogo(['doctor', base, '--timeout', '1'], env)).code).toBe(1);
    });
  });

  it.each([
    ['channels'],
    ['channels', 'orders'],
    ['users', 'presence-desk'],
    ['terminate', 'ada'],
    ['publish', 'orders', 'created'],
  ])('does not take a page for a success: %s', async (...args) => {
    await withOther('', async (base) => {
      expect(await pogo([...args, '--url', base], env)).toEqual({
        code: 1,
        out: '',
        err: expect.stringContaining('it is not the gateway') as string,
      });
    });
  });
});
