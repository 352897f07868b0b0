import { once } from 'node:events';
import { existsSync, linkSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bodyMd5, signHttpRequest } from '@pogo/pusher-protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { APP, TestGateway } from '../support/gateway.js';
import { testPair } from '../support/tls/certificates.js';

let folder: string;
let path: string;
let gateway: TestGateway | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pogo-unix-'));
  path = join(folder, 'gateway.sock');
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  rmSync(folder, { recursive: true });
});

const start = async (settings: Record<string, string> = {}) =>
  (gateway = await TestGateway.start({ settings: { unix_socket: path, ...settings } }));

interface Answer {
  readonly status: number | undefined;
  readonly body: unknown;
}

/** A request over the socket, signed when it has a body. */
async function send(method: string, url: string, body?: object, headers: Record<string, string> = {}): Promise<Answer> {
  const text = body === undefined ? '' : JSON.stringify(body);
  const query: [string, string][] = [
    ['auth_key', APP.key],
    ['auth_timestamp', String(Math.floor(Date.now() / 1_000))],
    ['auth_version', '1.0'],
    ...(text === '' ? [] : ([['body_md5', bodyMd5(Buffer.from(text))]] as [string, string][])),
  ];
  const signature = signHttpRequest(APP.secret, method, url, query);
  const target = `${url}?${new URLSearchParams([...query, ['auth_signature', signature]]).toString()}`;
  const sent = request({ socketPath: path, method, path: target, headers });
  sent.end(text);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) };
}

const publish = (data: string) => send('POST', `/apps/${APP.id}/events`, { name: 'event', channel: 'news', data });

describe('The Unix socket', () => {
  it('takes what a publisher on this machine signs, for the clients of the port', async () => {
    const { url } = await start();
    expect(url).toBeDefined();
    const client = await gateway?.connect();
    await client?.subscribe('news');
    expect(await publish('over the socket')).toEqual({ status: 200, body: {} });
    expect((await client?.receive('event'))?.data).toBe('over the socket');
  });

  it('wants a signature like the port', async () => {
    await start();
    expect(await send('POST', `/apps/2/events`, { name: 'event' })).toEqual({
      status: 404,
      body: { error: 'application not found' },
    });
    const sent = request({ socketPath: path, path: `/apps/${APP.id}/channels` }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(401);
    response.resume();
  });

  it('carries WebSockets as well, for a proxy on this machine', async () => {
    await start();
    const client = new WebSocket(`ws+unix://${path}:/app/${APP.key}?protocol=7`);
    const [greeting] = (await once(client, 'message')) as [Buffer];
    expect(greeting.toString()).toContain('pusher:connection_established');
    expect(gateway?.hub.connectionCount).toBe(1);
    client.close();
    await once(client, 'close');
  });

  it('is believed what it says about the client', async () => {
    await start({ handshake_rate: '0.001', handshake_burst: '1' });
    const connect = (forwardedFor?: string) =>
      new WebSocket(`ws+unix://${path}:/app/${APP.key}`, {
        headers: forwardedFor === undefined ? {} : { 'X-Forwarded-For': forwardedFor },
      });
    await once(connect('203.0.113.1'), 'message');
    const [error] = (await once(connect('203.0.113.1'), 'error')) as [Error];
    expect(error.message).toContain('429');
    await once(connect('203.0.113.2'), 'message');
    // Without a header it is the machine itself.
    for (let i = 0; i < 3; i++) await once(connect(), 'message');
  });

  it('is for the owner and the group', async () => {
    await start();
    expect(statSync(path).mode & 0o777).toBe(0o660);
  });

  it('has the path prefix, and speaks plain HTTP beside TLS', async () => {
    const { certPath, keyPath } = testPair('first');
    await start({ path_prefix: '/ws', tls_cert: certPath, tls_key: keyPath });
    expect((await send('GET', '/ws/up')).status).toBe(200);
    expect(
      (await send('POST', `/ws/apps/${APP.id}/events`, { name: 'event', channel: 'news', data: 'x' })).status,
    ).toBe(200);
    expect((await publish('x')).status).toBe(404);
  });

  it('replaces what a process left that was killed', async () => {
    const server = createServer();
    await listen(server);
    // Closing takes the name away; a hard link keeps it, as a process that is killed does.
    linkSync(path, `${path}.left`);
    await new Promise((resolve) => server.close(resolve));
    renameSync(`${path}.left`, path);
    await start();
    expect((await send('GET', '/up')).status).toBe(200);
  });

  it('does not take it from a process that listens', async () => {
    const server = createServer();
    await listen(server);
    await expect(start()).rejects.toThrow(`unix_socket ${path}: another process listens there`);
    expect(existsSync(path)).toBe(true);
    await new Promise((resolve) => server.close(resolve));
  });

  it('does not take it from a gateway that listens', async () => {
    await start();
    await expect(TestGateway.start({ settings: { unix_socket: path } })).rejects.toThrow(
      'another process listens there',
    );
    expect((await send('GET', '/up')).status).toBe(200);
  });

  it('leaves a file alone that is no socket', async () => {
    writeFileSync(path, 'precious');
    await expect(start()).rejects.toThrow(`unix_socket ${path}: there is a file, and it is no socket`);
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });

  it('needs a path that the system takes', async () => {
    path = join(folder, 'x'.repeat(120));
    await expect(start()).rejects.toThrow("a socket's path has at most 107 bytes");
  });

  it('is gone when the gateway has ended', async () => {
    await start();
    await gateway?.stop();
    gateway = undefined;
    expect(existsSync(path)).toBe(false);
  });
});

async function listen(server: Server): Promise<void> {
  server.listen(path);
  await once(server, 'listening');
}
