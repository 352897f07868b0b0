import PusherServer from 'pusher';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Client, type ClientOptions } from './support/client.js';
import { APP, TestGateway } from './support/gateway.js';
import { HttpApi } from './support/http-api.js';
import { ProxyServer, proxyBinary, type ProxyKind } from './support/proxy-server.js';
import { becomes } from './support/roster-watch.js';
import { testPair } from './support/tls/certificates.js';
import { trust } from './support/tls/trust.js';

const KINDS: readonly ProxyKind[] = ['nginx', 'haproxy'];
const HOST = '127.0.0.1';

describe.each(KINDS)('The configuration of %s in docs/proxy.md', (kind) => {
  const stops: (() => unknown)[] = [];
  let distrust: () => void;

  beforeAll(() => {
    distrust = trust(testPair('first').cert);
  });
  afterAll(() => distrust());

  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  async function gateway(settings: Record<string, string> = {}): Promise<TestGateway> {
    const started = await TestGateway.start({ settings: { trusted_proxies: '127.0.0.1', ...settings } });
    stops.push(() => started.stop());
    return started;
  }

  async function proxy(...gateways: TestGateway[]): Promise<ProxyServer> {
    const started = await ProxyServer.start(
      kind,
      gateways.map(({ port }) => port),
    );
    stops.push(() => started.stop());
    return started;
  }

  function dial({ port }: ProxyServer, options: ClientOptions = {}): Client {
    const client = new Client(`wss://${HOST}:${port}/app/${APP.key}?protocol=7`, { app: APP, ...options });
    stops.push(() => client.terminate());
    return client;
  }

  it.skipIf(proxyBinary(kind) === undefined)('hands on WebSockets and signed requests', async () => {
    const front = await proxy(await gateway());
    const client = await dial(front).established();
    await client.subscribe('private-room');
    const library = new PusherServer({
      appId: APP.id,
      key: APP.key,
      secret: APP.secret,
      host: HOST,
      port: String(front.port),
      useTLS: true,
    });
    expect((await library.trigger('private-room', 'news', { text: 'hello' })).status).toBe(200);
    expect((await client.receive('news')).data).toBe('{"text":"hello"}');
    // A body over nginx's own limit reaches the gateway, which has its own.
    const large = await new HttpApi(`https://${HOST}:${front.port}`, APP).publish(
      'private-room',
      'large',
      'x'.repeat(1_500_000),
    );
    expect([large.status, large.body]).toMatchObject([
      413,
      { error: expect.stringContaining('data content') as string },
    ]);
  });

  it.skipIf(proxyBinary(kind) === undefined)('says who the client is, and believes no client', async () => {
    const front = await proxy(await gateway({ max_connections_per_ip: '1' }));
    const from = (localAddress: string, said: string) =>
      dial(front, { localAddress, headers: { 'X-Forwarded-For': said } });
    await from('127.0.0.2', '203.0.113.7').established();
    await from('127.0.0.3', '203.0.113.7').established();
    expect((await from('127.0.0.2', '203.0.113.8').closing()).code).toBe(4100);
  });

  it.skipIf(proxyBinary(kind) === undefined)('goes on with the other gateway when one stops', async () => {
    const [one, other] = [await gateway(), await gateway()];
    const front = await proxy(one, other);
    await one.stop();
    await becomes(10, 200, async () => (await fetch(`https://${HOST}:${front.port}/up`)).status);
    const clients = await Promise.all(Array.from({ length: 4 }, () => dial(front).established()));
    expect(other.hub.connectionCount).toBe(4);
    const api = new HttpApi(`https://${HOST}:${front.port}`, APP);
    for (const client of clients) await client.subscribe('news');
    for (let n = 0; n < 5; n++) expect((await api.publish('news', 'headline', String(n))).status).toBe(200);
    for (const client of clients) await client.reaches('headline', 5);
  });
});
