import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { Module } from '@nestjs/common';
import { AppModule, createGateway, GatewayModule, loadConfig } from '@pogo/gateway';
import { AppProvider, ConfigAppProvider, AppDefaults } from '@pogo/hub';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { register } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { APP, TestGateway, type GatewayOptions } from '../support/gateway.js';
import { configOf, EmbeddedGateway } from '../support/embedded.js';
import { Log } from '../support/log.js';
import { metricsPort, scrape, type Scrape } from '../support/metrics.js';
import { becomes } from '../support/roster-watch.js';

let gateway: TestGateway | undefined;

afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
});

async function start(settings: Record<string, string> = {}, options: GatewayOptions = {}): Promise<TestGateway> {
  gateway = await TestGateway.start({ ...options, settings: { metrics_port: '0', ...settings } });
  return gateway;
}

const metricsOf = (server: TestGateway): Promise<Scrape> => scrape(metricsPort(server.app));

async function numbers(server: TestGateway, ...names: string[]): Promise<(number | undefined)[]> {
  const { values } = await metricsOf(server);
  return names.map((name) => values.get(`pogo_websocket_${name}`));
}

/** shared/spec/configuration.md: what the Go module calls them. */
const GO_METRICS: Readonly<Record<string, string>> = {
  connections_active: 'gauge',
  subscriptions_active: 'gauge',
  webhook_queue_depth: 'gauge',
  delivery_config: 'gauge',
  messages_total: 'counter',
  circuit_breaker_open_total: 'counter',
  auth_failures_total: 'counter',
  client_dropped_messages_total: 'counter',
  broker_dropped_messages_total: 'counter',
  publish_failures_total: 'counter',
  webhook_dropped_total: 'counter',
  write_failures_total: 'counter',
  auth_duration_seconds: 'histogram',
};

/** Name → buckets. */
const HOT_PATH: Readonly<Record<string, readonly number[]>> = {
  publish_duration_seconds: exponential(10e-6, 18),
  broker_to_hub_delay_seconds: exponential(10e-6, 18),
  hub_to_shard_delay_seconds: exponential(10e-6, 18),
  fanout_subscribers: [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000],
  client_queue_depth: [0, 1, 2, 4, 8, 16, 32, 64, 128, 192, 256],
  client_queue_residence_seconds: exponential(100e-6, 16),
  write_duration_seconds: exponential(100e-6, 16),
  write_total_duration_seconds: exponential(100e-6, 16),
};

function exponential(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, n) => first * 2 ** n);
}

describe('The names', () => {
  it('are those of the Go module, with its types', async () => {
    const { types } = await metricsOf(await start());
    for (const [name, type] of Object.entries(GO_METRICS)) expect(types.get(`pogo_websocket_${name}`), name).toBe(type);
  });

  it('have those of the hot path only when they are asked for, with its buckets', async () => {
    const { types } = await metricsOf(await start());
    for (const name of Object.keys(HOT_PATH)) expect(types.has(`pogo_websocket_${name}`), name).toBe(false);
    await gateway?.stop();
    const server = await start({ hot_path_metrics: 'on', slow_consumer: 'drop' });
    const client = await server.connect();
    await client.subscribe('news');
    await server.http.publish('news', 'headline', '1');
    await client.receive('headline');
    const { values, types: hot } = await metricsOf(server);
    for (const [name, buckets] of Object.entries(HOT_PATH)) {
      expect(hot.get(`pogo_websocket_${name}`), name).toBe('histogram');
      const shown = [...values.keys()]
        .filter((key) => key.startsWith(`pogo_websocket_${name}_bucket`))
        .map((key) => /le="([^"]+)"/.exec(key)?.[1])
        .filter((bound) => bound !== '+Inf');
      const bounds = new Set(shown.map(Number));
      if (bounds.size > 0) expect([...bounds], name).toEqual(buckets);
    }
    for (const phase of ['validate', 'broker', 'total']) {
      expect(values.get(`pogo_websocket_publish_duration_seconds_count{phase="${phase}"}`)).toBe(1);
    }
    expect(values.get('pogo_websocket_broker_to_hub_delay_seconds_count')).toBe(1);
    expect(values.get('pogo_websocket_broker_to_hub_delay_seconds_sum')).toBeLessThan(5);
    expect(values.get('pogo_websocket_hub_to_shard_delay_seconds_count')).toBe(1);
    expect(values.get('pogo_websocket_fanout_subscribers_bucket{le="1"}')).toBe(1);
    expect(values.get('pogo_websocket_write_duration_seconds_count{kind="prepared"}')).toBe(1);
    expect(values.get('pogo_websocket_write_total_duration_seconds_count{kind="prepared"}')).toBe(1);
  });

  it('have the process and the lag of its event loop', async () => {
    const { values } = await metricsOf(await start());
    expect(values.get('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0);
    expect(values.get('process_resident_memory_bytes')).toBeGreaterThan(1e6);
  });
});

describe('What is counted', () => {
  it('is who is there', async () => {
    const server = await start();
    const [ada, bob] = [await server.connect(), await server.connect()];
    for (const channel of ['a', 'b']) await ada.subscribe(channel);
    await bob.subscribe('b');
    const names = ['connections_active', 'app_connections{app_id="1"}', 'subscriptions_active', 'channels_active'];
    expect(await numbers(server, ...names)).toEqual([2, 2, 3, 2]);
    await ada.disconnect();
    await bob.disconnect();
    await becomes(10, [0, 0, 0, 0], () => numbers(server, ...names));
  });

  it('is who is there of the apps that there are, when these have changed', async () => {
    const server = await start();
    const next = new AppDefaults().complete({ id: 'next', key: 'next-key', secret: 's' });
    const client = await server.connect();
    server.app.get<ConfigAppProvider>(AppProvider).replace([next]);
    await client.closing();
    await becomes(10, [undefined, 0], () =>
      numbers(server, 'app_connections{app_id="1"}', 'app_connections{app_id="next"}'),
    );
  });

  it('is what is published, delivered and received', async () => {
    const server = await start();
    const clients = [await server.connect(), await server.connect()];
    for (const client of clients) await client.subscribe('private-room');
    await server.http.publish('private-room', 'news', '"hello"');
    for (const client of clients) await client.receive('news');
    clients[0]?.send({ event: 'client-typing', channel: 'private-room', data: '1' });
    await clients[1]?.receive('client-typing');
    const names = ['messages_total', 'app_messages_total{app_id="1"}', 'events_total', 'deliveries_total'];
    expect(await numbers(server, ...names)).toEqual([1, 1, 2, 3]);
    expect(await numbers(server, 'messages_received_total')).toEqual([3]);
    const [received, sent, writes] = await numbers(
      server,
      'bytes_received_total',
      'bytes_sent_total',
      'socket_writes_total',
    );
    expect(received).toBeGreaterThan(100);
    expect(sent).toBeGreaterThan(100);
    expect(writes).toBeGreaterThanOrEqual(7);
    // Counters only grow: a second look shows them once.
    expect(await numbers(server, 'deliveries_total')).toEqual([3]);
  });

  it('is who is refused at the door, and why', async () => {
    const server = await start({ max_connections: '1', allowed_origins: 'https://good.example' });
    await server.dial(undefined, { origin: 'https://bad.example' }).closing();
    await server.dial(server.url('nobody')).closing();
    await server.connect();
    await server.dial().closing();
    const reasons = ['origin', 'unknown_app', 'over_capacity', 'throttled', 'draining'];
    const names = reasons.map((reason) => `handshake_rejected_total{reason="${reason}"}`);
    expect(await numbers(server, ...names)).toEqual([1, 1, 1, 0, 0]);
  });

  it('is whose address has enough connections, apart from a server that is full: there is nothing to add', async () => {
    const server = await start({ max_connections_per_ip: '1' });
    await server.connect();
    expect((await server.dial().closing()).code).toBe(4100);
    const names = ['over_capacity', 'address_full'].map((reason) => `handshake_rejected_total{reason="${reason}"}`);
    expect(await numbers(server, ...names)).toEqual([0, 1]);
  });

  it('is who is not let into a channel, and how long it took to decide', async () => {
    const server = await start();
    const client = await server.connect();
    client.send({ event: 'pusher:subscribe', data: { channel: 'private-a', auth: `${APP.key}:${'0'.repeat(64)}` } });
    await client.receive('pusher:subscription_error');
    client.send({ event: 'pusher:subscribe', data: { channel: 'private-a' } });
    await client.receive('pusher:subscription_error');
    await client.subscribe('private-b');
    const failures = ['invalid_signature', 'missing_signature', 'denied', 'circuit_open'];
    const names = failures.map((reason) => `auth_failures_total{reason="${reason}"}`);
    expect(await numbers(server, ...names)).toEqual([1, 1, 0, 0]);
    expect(await numbers(server, 'auth_duration_seconds_count')).toEqual([3]);
  });

  it('is what is refused and what is dropped', async () => {
    const server = await start({ max_event_bytes: '10', webhook_url: 'http://127.0.0.1:9/' });
    expect(await server.hub.publish(APP.id, 'news', 'headline', 'much more than ten bytes')).toBeGreaterThan(0);
    expect(await server.hub.publish(APP.id, '', 'headline', '1')).toBeGreaterThan(0);
    server.events.emit('eventDropped', { appId: APP.id, reason: 'outbox_full', kind: 'bytes', count: 2 });
    server.events.emit('eventDropped', { appId: APP.id, reason: 'outbox_full', count: 3 });
    server.events.emit('eventDropped', { appId: APP.id, reason: 'shard_queue_full', count: 4 });
    server.events.emit('eventDropped', { appId: APP.id, reason: 'broker_queue_full', count: 5 });
    server.events.emit('eventDropped', { appId: APP.id, reason: 'broker_failed', count: 6 });
    server.events.emit('webhookDropped', { appId: APP.id, reason: 'queue_full', count: 7 });
    server.events.emit('authCircuitOpened', { appId: APP.id, endpoint: 'http://127.0.0.1:9/' });
    const client = await server.connect();
    await client.subscribe('news');
    const dropped = 'client_dropped_messages_total{app_id="1",reason="queue_full"';
    expect(
      await numbers(
        server,
        'publish_failures_total{app_id="1",reason="failed"}',
        `${dropped},kind="bytes"}`,
        `${dropped},kind="prepared"}`,
        'broker_dropped_messages_total{app_id="1",reason="shard_queue_full"}',
        'broker_dropped_messages_total{app_id="1",reason="queue_full"}',
        'publish_failures_total{app_id="1",reason="broker_failed"}',
        'webhook_dropped_total{reason="queue_full"}',
        'webhook_dropped_total{reason="closed"}',
        'circuit_breaker_open_total',
      ),
    ).toEqual([2, 2, 3, 4, 5, 6, 7, 0, 1]);
    const [depth] = await numbers(server, 'webhook_queue_depth');
    expect(depth).toBeGreaterThan(0);
  });

  it('is what was configured', async () => {
    const server = await start({ outbound_queue_size: '17', enable_compression: 'on' });
    const keys = ['outbound_queue_size', 'write_burst_size', 'broker_queue_size', 'shard_queue_size'];
    const names = [...keys, 'enable_compression'].map((key) => `delivery_config{key="${key}"}`);
    expect(await numbers(server, ...names)).toEqual([17, 64, 1_024, 1_024, 1]);
  });

  it('says nothing of Redis where there is none, and nothing secret', async () => {
    const { text } = await metricsOf(await start());
    expect(text).not.toContain('redis_up{');
    expect(text).not.toContain(APP.secret);
    expect(text).not.toContain(APP.key);
  });

  it('has no label for each of any number of apps', async () => {
    const defaults = new AppDefaults();
    class Database extends AppProvider {
      private readonly apps = new ConfigAppProvider([
        defaults.complete({ id: '77', key: APP.key, secret: APP.secret }),
      ]);
      findById = (id: string) => this.apps.findById(id);
      findByKey = (key: string) => this.apps.findByKey(key);
    }
    const config = loadConfig({ POGO_WS_METRICS_PORT: '0', POGO_WS_HANDSHAKE_RATE: '-1' }, { hasAppProvider: true });
    const embedded = await EmbeddedGateway.start(GatewayModule.forRoot({ config, apps: Database }));
    try {
      await embedded.connect();
      const { values } = await scrape(metricsPort(embedded.app));
      expect(values.get('pogo_websocket_app_connections{app_id="other"}')).toBe(1);
    } finally {
      await embedded.stop();
    }
  });
});

describe('The port', () => {
  let occupied: Server | undefined;
  afterEach(() => occupied?.close());

  async function takenPort(): Promise<number> {
    occupied = createServer().listen(0, '127.0.0.1');
    await once(occupied, 'listening');
    return (occupied.address() as AddressInfo).port;
  }

  it('serves nothing else', async () => {
    const port = metricsPort((await start()).app);
    const statuses = await Promise.all(
      ['/', '/up', `/apps/${APP.id}/channels`, '/metrics?a=b'].map(async (path) => {
        return (await fetch(`http://127.0.0.1:${port}${path}`)).status;
      }),
    );
    expect(statuses).toEqual([404, 404, 404, 200]);
    expect((await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST' })).status).toBe(405);
  });

  it('is not that of clients', async () => {
    const server = await start();
    expect((await fetch(`http://127.0.0.1:${server.port}/metrics`)).status).toBe(404);
  });

  it('must be free when somebody has named it', async () => {
    await expect(start({ metrics_port: String(await takenPort()) })).rejects.toThrow('EADDRINUSE');
  });

  it('is done without when nobody has: a second gateway on a machine starts as well', async () => {
    const config = configOf({ port: '0', host: '127.0.0.1' });
    const metrics = { host: '127.0.0.1', port: await takenPort(), isAskedFor: false };
    const log = new Log();
    const app = await createGateway(AppModule.forRoot({ ...config, metrics }), { logger: log });
    try {
      await app.listen(0, '127.0.0.1');
      expect(log.take('is taken; name another one')).toHaveLength(1);
      expect(() => metricsPort(app)).toThrow('no metrics');
    } finally {
      await app.close();
    }
  });

  it('says of an address that is none of this machine that it is not the port', async () => {
    // For documentation: no machine has it.
    const config = { ...configOf({ port: '0' }), metrics: { host: '192.0.2.1', port: 2_019, isAskedFor: false } };
    const log = new Log();
    const app = await createGateway(AppModule.forRoot(config), { logger: log });
    try {
      await app.listen(0, '127.0.0.1');
      expect(log.take('no metrics')).toEqual([
        expect.stringMatching(/^warn no metrics: listen E\w+: .* 192\.0\.2\.1:2019; POGO_WS_METRICS_HOST must be/),
      ]);
    } finally {
      await app.close();
    }
  });

  it('is closed with the server', async () => {
    const server = await start();
    const port = metricsPort(server.app);
    await scrape(port);
    await server.stop();
    gateway = undefined;
    await expect(scrape(port)).rejects.toThrow('ECONNREFUSED');
  });
});

describe('An application with metrics of its own', () => {
  it('keeps them, and its own /metrics', async () => {
    @Module({
      imports: [
        GatewayModule.forRoot({ config: configOf({ metrics_port: '0' }) }),
        PrometheusModule.register({ path: '/own-metrics', defaultMetrics: { enabled: false } }),
      ],
    })
    class Application {}
    const embedded = await EmbeddedGateway.start({ module: Application });
    try {
      expect((await scrape(metricsPort(embedded.app))).types.has('pogo_websocket_messages_total')).toBe(true);
      expect(await register.metrics()).not.toContain('pogo_websocket');
    } finally {
      await embedded.stop();
    }
  });
});
