import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { signChannel } from '@pogo/pusher-protocol';
import { afterEach, expect, it } from 'vitest';
import { APP, TestGateway } from '../support/gateway.js';
import { testPair } from '../support/tls/certificates.js';
import { trust } from '../support/tls/trust.js';
import { allowed, countedFailures, refused } from '../support/unsigned.js';

const { cert, key } = testPair('first');
let server: Server;
let gateway: TestGateway;
let requests: number;

async function start(): Promise<void> {
  requests = 0;
  server = createServer({ cert, key }, (request, response) => {
    requests++;
    void json(request).then((asked) => {
      const { channel_name, socket_id } = asked as { readonly channel_name: string; readonly socket_id: string };
      response.end(JSON.stringify({ auth: signChannel(APP, socket_id, channel_name) }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/auth`;
  gateway = await TestGateway.start({ settings: { auth_endpoint: url } });
}
afterEach(async () => {
  await gateway.stop();
  server.close();
});

it('an authorization endpoint is asked over TLS', async () => {
  const distrust = trust(cert);
  await start();
  await allowed(await gateway.connect(), 'private-room');
  await allowed(await gateway.connect(), 'private-room');
  distrust();
  expect(requests).toBe(2);
});

it('an authorization endpoint with a certificate that nobody vouches for is not asked', async () => {
  await start();
  expect(await refused(await gateway.connect(), 'private-room')).toMatchObject({ type: 'AuthTimeout', status: 503 });
  expect(countedFailures(gateway)).toEqual({ dispatch_error: 1 });
  expect(requests).toBe(0);
});
