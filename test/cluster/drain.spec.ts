import { createSecureContext } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from '../support/cluster.js';
import { APP } from '../support/gateway.js';
import { START_TIMEOUT_MS, type GatewayProcess } from '../support/gateway-process.js';
import { HttpApi } from '../support/http-api.js';
import { LoadPublisher } from '../support/load-publisher.js';
import { scrape } from '../support/metrics.js';
import { pageProxy } from '../support/page-proxies.js';
import { proxyBinary, type Proxy } from '../support/proxies.js';
import { ReconnectingClient } from '../support/reconnecting-client.js';
import { becomes } from '../support/roster-watch.js';
import { testPair } from '../support/tls/certificates.js';
import { trust } from '../support/tls/trust.js';

const CLIENTS = 1_000;
const DRAIN_SECONDS = 10;
/** Two cores for a thousand TLS handshakes, the proxy and the gateways: what a deployment would not take. */
const PATIENCE_SECONDS = 60;

/** Connections of a node, as its metrics have them. */
async function connectionsOf(node: GatewayProcess): Promise<number> {
  const [, port] = await node.printed(/metrics on http:\/\/127\.0\.0\.1:(\d+)/);
  return (await scrape(Number(port))).values.get('pogo_websocket_connections_active') ?? -1;
}

describe.skipIf(proxyBinary('haproxy') === undefined)('A thousand clients of two nodes behind HAProxy', () => {
  let cluster: Cluster;
  let proxy: Proxy;
  let distrust: () => void;
  const clients: ReconnectingClient[] = [];

  beforeAll(async () => {
    distrust = trust(testPair('first').cert);
    cluster = await Cluster.start({
      nodes: 2,
      // The throttle counts clients, and all of these have one address.
      settings: { trusted_proxies: '127.0.0.1', metrics_port: '0', shutdown_timeout: `${DRAIN_SECONDS}s` },
    });
    proxy = await pageProxy('haproxy', testPair('first'), [cluster.node(0).port, cluster.node(1).port]);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    for (const client of clients) client.stop();
    await proxy.stop();
    await cluster.stop();
    distrust();
  });

  it(
    'are all on the other one after a SIGTERM, and no publish is answered with an error',
    { timeout: START_TIMEOUT_MS + 2 * PATIENCE_SECONDS * 1_000 },
    async () => {
      const url = `wss://127.0.0.1:${proxy.port}/app/${APP.key}?protocol=7`;
      // One context for all: reading certificates a thousand times would cost more than everything else.
      const options = { secureContext: createSecureContext({ ca: testPair('first').cert }), perMessageDeflate: false };
      for (let n = 0; n < CLIENTS; n++) clients.push(new ReconnectingClient(url, 'news', options));
      await becomes(PATIENCE_SECONDS, CLIENTS, () => clients.filter(({ isSubscribed }) => isSubscribed).length);
      const [leaving, staying] = [cluster.node(0), cluster.node(1)];
      const here = await connectionsOf(leaving);
      expect(here).toBeGreaterThan(CLIENTS / 4);
      expect(await connectionsOf(staying)).toBe(CLIENTS - here);

      const http = new HttpApi(`https://127.0.0.1:${proxy.port}`, APP);
      const publisher = new LoadPublisher({ http }, 'load', 'p');
      try {
        await becomes(30, true, () => publisher.numberOf(200) > 20);
        const exitCode = leaving.stop();
        // It exits by itself, within its time: what hangs would be cut off by it, and clients be missing below.
        expect(await exitCode).toBe(0);
        await becomes(PATIENCE_SECONDS, CLIENTS, () => clients.filter(({ isSubscribed }) => isSubscribed).length);
        expect(await connectionsOf(staying)).toBe(CLIENTS);
        const after = publisher.answers.length + 20;
        await becomes(30, true, () => publisher.answers.length > after);
      } finally {
        await publisher.stop();
      }
      expect(publisher.answers.filter(({ status }) => status !== 200)).toEqual([]);
      // Those of the node that went were sent away, each with 4200; nobody was cut off, nobody else was bothered.
      const closings = clients.flatMap((client) => client.closings);
      expect(closings.filter((code) => code === 4200)).toHaveLength(here);
      expect(closings.filter((code) => code !== 4200 && code !== 4100)).toEqual([]);
      expect((await http.publish('news', 'headline', 'after')).status).toBe(200);
      await becomes(20, CLIENTS, () => clients.filter(({ data }) => data.at(-1) === 'after').length);
    },
  );
});
