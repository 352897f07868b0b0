import { once } from 'node:events';
import { createServer, request as forward } from 'node:http';
import { createServer as createTcp, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { buildOnce } from '../support/build.js';
import { BIN, pogo } from '../support/cli.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { APP, TestGateway } from '../support/gateway.js';
import { Running } from '../support/process.js';

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

/** A proxy that passes /app and /apps on, as docs/proxy.md has it for the host of a PHP application, which answers the rest. */
async function besideApplication(gateway: TestGateway, status: number, test: (base: string) => Promise<void>) {
  const proxy = createServer((request, response) => {
    const { url: path = '', method, headers } = request;
    if (!/^\/apps?\//.test(path)) return void response.writeHead(status).end('<html>Shop</html>');
    const options = { port: gateway.port, host: '127.0.0.1', path, method, headers };
    const onward = forward(options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  proxy.on('upgrade', (request, socket, head) => gateway.app.getHttpServer().emit('upgrade', request, socket, head));
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  try {
    await test(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
    await once(proxy, 'close');
  }
}

describe('pogo doctor, on the host of an application', () => {
  it.each([200, 404])('does not mind that /up is its own, answered with %i', async (status) => {
    const gateway = await TestGateway.start();
    const app = { POGO_WS_APP_KEY: APP.key, POGO_WS_APP_SECRET: APP.secret, POGO_WS_APP_ID: APP.id };
    try {
      await besideApplication(gateway, status, async (base) => {
        const well = await pogo(['doctor', base], app);
        expect([well.code, well.out]).toEqual([0, expect.stringMatching(/^ok {7}server .*\/up there is of another/m)]);
        expect(well.out).toMatch(/^ok {7}delivery/m);
        const { code, out } = await pogo(['doctor', base, '--key', 'wrong'], app);
        expect([code, out]).toEqual([1, expect.stringMatching(/^WRONG {4}websocket .* refused with 4001/m)]);
        const below = await pogo(['doctor', `${base}/shop`, '--timeout', '2'], app);
        expect([below.code, below.out]).toEqual([1, expect.stringMatching(/^WRONG {4}server /)]);
      });
    } finally {
      await gateway.stop();
    }
  });
});

describe('pogo, where a connection is taken and closed at once, as a mapped port without a server does', () => {
  it.each(['doctor', 'channels'])('says so: %s', { timeout: START_TIMEOUT_MS }, async (command) => {
    await buildOnce();
    const listener = createTcp((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
    const where = command === 'doctor' ? [url] : ['--url', url];
    // A process of its own: in this one there is always something that keeps it alive.
    const running = new Running(process.execPath, [BIN, command, ...where, '--timeout', '1'], { cwd: tmpdir(), env });
    try {
      expect(await running.ending).toEqual({ code: 1, signal: null });
      expect(running.output).toContain(url);
    } finally {
      running.cleanUp();
      listener.close();
    }
  });
});
