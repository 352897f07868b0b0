import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { errorText, LogPause } from '@pogo/hub';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { GATEWAY_CONFIG, type GatewayConfig, type MetricsConfig } from '../config/gateway-config.js';
import { HubMetrics } from './hub-metrics.js';
import { MetricRegistries } from './metrics.js';
import { NodeMetrics } from './node-metrics.js';

const PATH = '/metrics';
const MAX_CONNECTIONS = 64;
/** How often the event loop's lag is measured: a timer that a server at rest wakes up for. */
const EVENT_LOOP_PRECISION_MS = 20;
const TIMEOUTS = { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 };

/**
 * Serves `GET /metrics` on a port of its own, and nothing else: what clients and publishers reach never shows how busy
 * the server is. It listens when everything else is there and ends last, so that a drain can be watched.
 */
@Injectable()
export class MetricsServer implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Metrics');
  private readonly pause = new LogPause();
  private readonly registry: Registry;
  private server: Server | undefined;

  constructor(
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    registries: MetricRegistries,
    private readonly counts: HubMetrics,
    private readonly node: NodeMetrics,
  ) {
    const { always, hotPath } = registries;
    this.registry = config.hub.hotPathMetrics ? Registry.merge([always, hotPath]) : always;
  }

  /** Where it listens; undefined when it does not. */
  get address(): AddressInfo | undefined {
    return (this.server?.address() ?? undefined) as AddressInfo | undefined;
  }

  /** @throws Error when a port that the configuration names is taken. The one that nobody named is done without. */
  async onApplicationBootstrap(): Promise<void> {
    const { metrics } = this.config;
    if (metrics === undefined) return;
    const server = createServer(TIMEOUTS, (request, response) => void this.answer(request, response));
    server.maxConnections = MAX_CONNECTIONS;
    try {
      await listen(server, metrics.port, metrics.host);
    } catch (error) {
      if (metrics.isAskedFor) throw error;
      this.logger.warn(`no metrics: ${whyNot(error as NodeJS.ErrnoException, metrics)}`);
      return;
    }
    this.server = server;
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS });
    this.counts.count(this.config.hub.hotPathMetrics);
    this.logger.log(`metrics on ${this.url ?? ''}`);
  }

  onApplicationShutdown(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }

  private get url(): string | undefined {
    if (this.address === undefined) return undefined;
    const { address, family, port } = this.address;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}${PATH}`;
  }

  private async answer({ method, url }: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path] = (url ?? '').split('?');
    if (path !== PATH) return void response.writeHead(404).end();
    if (method !== 'GET' && method !== 'HEAD') return void response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    try {
      this.counts.read();
      this.node.read();
      const text = await this.registry.metrics();
      response.writeHead(200, { 'Content-Type': this.registry.contentType }).end(text);
    } catch (error) {
      if (this.pause.isOver()) this.logger.error(errorText(error));
      response.writeHead(500).end();
    }
  }
}

function whyNot({ code, message }: NodeJS.ErrnoException, { host, port }: MetricsConfig): string {
  return code === 'EADDRINUSE'
    ? `port ${port} on ${host} is taken; name another one with POGO_WS_METRICS_PORT, or \`off\``
    : `${message}; POGO_WS_METRICS_HOST must be an address of this machine, or POGO_WS_METRICS_PORT \`off\``;
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
