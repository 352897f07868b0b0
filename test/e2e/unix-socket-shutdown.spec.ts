import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bodyMd5, signHttpRequest } from '@pogo/pusher-protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { APP, TestGateway } from '../support/gateway.js';
import { RawSocket } from '../support/raw-socket.js';

let folder: string;
let path: string;
let gateway: TestGateway;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pogo-unix-'));
  path = join(folder, 'gateway.sock');
  gateway = await TestGateway.start({ settings: { unix_socket: path, shutdown_timeout: '1s' } });
});
afterEach(async () => {
  await gateway.stop();
  rmSync(folder, { recursive: true });
});

const BODY = JSON.stringify({ name: 'event', channel: 'news', data: 'the last one' });

/** A signed publish without the last byte of its body. */
function unfinishedPublish(): string {
  const query: [string, string][] = [
    ['auth_key', APP.key],
    ['auth_timestamp', String(Math.floor(Date.now() / 1_000))],
    ['auth_version', '1.0'],
    ['body_md5', bodyMd5(Buffer.from(BODY))],
  ];
  const signature = signHttpRequest(APP.secret, 'POST', `/apps/${APP.id}/events`, query);
  const parameters = new URLSearchParams([...query, ['auth_signature', signature]]).toString();
  const head = `POST /apps/${APP.id}/events?${parameters} HTTP/1.1\r\nHost: a\r\nContent-Length: ${BODY.length}`;
  return `${head}\r\n\r\n${BODY.slice(0, -1)}`;
}

describe('A gateway that shuts down', () => {
  it.each([
    ['says nothing', () => ''],
    ['has sent half a request', () => 'POST /apps/1/events HTTP/1.1\r\nHost: a\r\n'],
    ['has sent half a body', unfinishedPublish],
    ['keeps its connection alive', () => 'GET /up HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('is not held open by a neighbour on the Unix socket that %s', async (_what, text) => {
    const raw = await RawSocket.dial(path);
    raw.write(text());
    await gateway.app.close();
    await raw.ended();
  });

  it('answers what has been asked on the Unix socket, and says that the connection ends', async () => {
    // Without it ending by itself: that is for those above.
    await gateway.stop();
    gateway = await TestGateway.start({ settings: { unix_socket: path, shutdown_timeout: '30s' } });
    const raw = await RawSocket.dial(path);
    raw.write(unfinishedPublish());
    const client = new WebSocket(`ws+unix://${path}:/app/${APP.key}`);
    await once(client, 'message');
    const closed = once(client, 'close');
    const closing = gateway.app.close();
    expect((await closed)[0]).toBe(4200);
    raw.write(BODY.slice(-1));
    await raw.until(({ head }) => (head === '' ? undefined : head));
    expect(raw.statusLine).toBe('HTTP/1.1 200 OK');
    expect(raw.head.toLowerCase()).toContain('\r\nconnection: close');
    await closing;
  });
});
