import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Client } from './support/client.js';
import { APP, TestGateway } from './support/gateway.js';
import { HttpApi } from './support/http-api.js';
import { edited, pageBlock, Proxy, proxyBinary, type ProxyName } from './support/proxies.js';
import { nginxOf, pageProxy, PROXY_ADDRESS } from './support/page-proxies.js';
import { arrives, happens, join as joinChannel, RealClients } from './support/pusher-clients.js';
import { testPair } from './support/tls/certificates.js';
import { trust } from './support/tls/trust.js';

const PAIR = testPair('first');

const TRUSTING = { trusted_proxies: PROXY_ADDRESS };
const apiOf = ({ port }: Proxy) => new HttpApi(`https://${PROXY_ADDRESS}:${port}`, APP);
const urlOf = ({ port }: Proxy) => `wss://${PROXY_ADDRESS}:${port}/app/${APP.key}?protocol=7`;

let distrust: () => void;
beforeAll(() => {
  distrust = trust(PAIR.cert);
});
afterAll(() => distrust());

/** Ends in the reverse order. */
const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function gatewayWith(settings: Record<string, string> = {}): Promise<TestGateway> {
  const gateway = await TestGateway.start({ settings: { ...TRUSTING, ...settings } });
  open.push(() => gateway.stop());
  return gateway;
}

async function proxyBefore(name: ProxyName, first: TestGateway, second = first): Promise<Proxy> {
  const proxy = await pageProxy(name, PAIR, [first.port, second.port]);
  open.push(() => proxy.stop());
  return proxy;
}

function dial(proxy: Proxy, options: { localAddress?: string; headers?: Record<string, string> } = {}): Client {
  const client = new Client(urlOf(proxy), { app: APP, ...options });
  open.push(() => client.terminate());
  return client;
}

describe.each<ProxyName>(['nginx', 'haproxy', 'caddy'])('docs/proxy.md: through %s', (name) => {
  const binary = proxyBinary(name);
  const through = (title: string, test: () => Promise<void>) =>
    it(title, async (context) => {
      if (binary === undefined) context.skip(`needs ${name}: apt-get install ${name}`);
      await test();
    });

  through('pusher-js subscribes over TLS, and hears what is published through it', async () => {
    const clients = await RealClients.start({ settings: TRUSTING });
    open.push(() => clients.stop());
    const proxy = await proxyBefore(name, clients.gateway);
    const page = clients.page({
      forceTLS: true,
      wssPort: proxy.port,
      enabledTransports: ['ws', 'wss'],
      member: { user_id: 'ada' },
    });
    await happens(page.connection, 'connected');
    await joinChannel(page, 'presence-room');
    const heard = arrives(page, 'headline', 'presence-room');
    const server = clients.serverLibrary({ port: String(proxy.port), useTLS: true });
    await server.trigger('presence-room', 'headline', { text: 'ä' });
    expect(await heard).toEqual({ text: 'ä' });
  });

  through('a signed path with escapes and a body of more than a megabyte arrive as they were sent', async () => {
    const proxy = await proxyBefore(name, await gatewayWith());
    const client = await dial(proxy).established();
    await client.subscribe('a;b=c,d@e');
    const occupied = await apiOf(proxy).get(`/channels/${encodeURIComponent('a;b=c,d@e')}`);
    expect([occupied.status, occupied.body]).toEqual([200, { occupied: true }]);
    const batch = Array.from({ length: 8 }, () => ({ name: 'large', channel: 'other', data: 'x'.repeat(200_000) }));
    expect((await apiOf(proxy).post('/batch_events', { batch })).status).toBe(200);
  });

  through('clients are counted by their own address, whatever they say it is', async () => {
    const proxy = await proxyBefore(name, await gatewayWith({ max_connections_per_ip: '1' }));
    await dial(proxy, { localAddress: '127.0.0.2' }).established();
    await dial(proxy, { localAddress: '127.0.0.3' }).established();
    const liar = dial(proxy, { localAddress: '127.0.0.2', headers: { 'X-Forwarded-For': '203.0.113.9' } });
    expect((await liar.closing()).code).toBe(4100);
  });

  through('a gateway that is gone gets no clients and no publishes', async () => {
    const [first, second] = [await gatewayWith(), await gatewayWith()];
    const proxy = await proxyBefore(name, first, second);
    // Both are in use before.
    for (let i = 0; i < 4; i++) await dial(proxy).established();
    expect([first.hub.connectionCount, second.hub.connectionCount]).toEqual([2, 2]);
    await first.stop();
    for (let i = 0; i < 4; i++) await dial(proxy).established();
    expect(second.hub.connectionCount).toBe(6);
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await apiOf(proxy).publish('news', 'still', 'there')).status);
    expect(statuses).toEqual([200, 200, 200, 200]);
  });

  /** What a proxy with active checks says of a gateway whose /ready answers 503. */
  const noticed = { nginx: undefined, haproxy: /gateway-1 is DOWN.*503/, caddy: /health_checker.*503/ }[name];

  if (noticed !== undefined) {
    through('a gateway that drains gets no new clients, and keeps those that it has', async () => {
      const [first, second] = [await gatewayWith(), await gatewayWith()];
      const proxy = await proxyBefore(name, first, second);
      const early = [await dial(proxy).established(), await dial(proxy).established()];
      let refused = 0;
      first.events.on('handshakeRejected', () => refused++);
      // As the first of Nest's shutdown hooks; its clients are sent away in a later one.
      first.hub.onModuleDestroy();
      await proxy.running.printed(noticed);
      for (let i = 0; i < 4; i++) await dial(proxy).established();
      expect([first.hub.connectionCount, second.hub.connectionCount, refused]).toEqual([1, 5, 0]);
      for (const client of early) await client.subscribe('news');
    });
  }
});

describe('docs/proxy.md: nginx', () => {
  const nginx = proxyBinary('nginx');

  it('beside a PHP application, which has everything but /app/ and /apps/', async (context) => {
    if (nginx === undefined) context.skip('needs nginx: apt-get install nginx-light');
    const gateway = await gatewayWith();
    const proxy = await Proxy.start('nginx', PAIR, async (files) => {
      const [whole, beside] = [await pageBlock('nginx'), await pageBlock('nginx beside PHP')];
      const server = edited(beside, [
        ['shop.example.com', 'ws.example.com'],
        ['/var/www/shop/public', join(files.folder, 'public')],
        ['/run/php/php-fpm.sock', join(files.folder, 'nobody.sock')],
      ]);
      const conf = `${whole.slice(0, whole.indexOf('  server {\n'))}${server}\n}\n`;
      return nginxOf(conf, files, [gateway.port, gateway.port]);
    });
    open.push(() => proxy.stop());
    await dial(proxy).established();
    expect((await apiOf(proxy).publish('news', 'a', 'b')).status).toBe(200);
    const get = async (path: string) => {
      const answer = await fetch(`https://${PROXY_ADDRESS}:${proxy.port}${path}`);
      return [answer.status, await answer.text()];
    };
    expect(await get('/robots.txt')).toEqual([200, 'from the application\n']);
    // PHP is not running here.
    expect(await get('/application')).toEqual([502, expect.stringContaining('nginx')]);
  });

  it('a client that meets a gateway that drains comes again, and is served by the other', async (context) => {
    if (nginx === undefined) context.skip('needs nginx: apt-get install nginx-light');
    const clients = await RealClients.start({ settings: TRUSTING });
    open.push(() => clients.stop());
    const { gateway: second } = clients;
    const first = await gatewayWith();
    const proxy = await proxyBefore('nginx', first, second);
    const met = new Promise<void>((resolve) => first.events.on('handshakeRejected', () => resolve()));
    first.hub.onModuleDestroy();
    const page = clients.page({ forceTLS: true, wssPort: proxy.port, enabledTransports: ['ws', 'wss'] });
    const connected = happens(page.connection, 'connected');
    await met;
    await first.stop();
    await connected;
    expect(second.hub.connectionCount).toBe(1);
  });

  it('through a Unix socket, which needs no trusted_proxies', async (context) => {
    if (nginx === undefined) context.skip('needs nginx: apt-get install nginx-light');
    const proxy = await Proxy.start('nginx', PAIR, async (files) => {
      const socket = join(files.folder, 'gateway.sock');
      const settings = { unix_socket: socket, max_connections_per_ip: '1', trusted_proxies: '' };
      const gateway = await gatewayWith(settings);
      const unix = edited(await pageBlock('nginx'), [
        ['127.0.0.1:8080', `unix:${socket}`],
        ['    server 127.0.0.1:8081 max_fails=1 fail_timeout=5s;\n', ''],
      ]);
      return nginxOf(`${unix}# 127.0.0.1:8080 127.0.0.1:8081\n`, files, [gateway.port, gateway.port]);
    });
    open.push(() => proxy.stop());
    await dial(proxy, { localAddress: '127.0.0.2' }).established();
    await dial(proxy, { localAddress: '127.0.0.3' }).established();
    expect((await dial(proxy, { localAddress: '127.0.0.3' }).closing()).code).toBe(4100);
    expect((await apiOf(proxy).publish('news', 'a', 'b')).status).toBe(200);
  });
});
