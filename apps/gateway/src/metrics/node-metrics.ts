import { Inject, Injectable } from '@nestjs/common';
import { Broker, ChannelDirectory, HubService, WebhookQueue, type HubCounters } from '@pogo/hub';
import type { Counter } from 'prom-client';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config/gateway-config.js';
import { HubMetrics } from './hub-metrics.js';
import { GATEWAY_METRICS, type MetricKey, type Metrics } from './metrics.js';

/** What the hot path counts in plain numbers. */
const COUNTED = {
  messagesReceived: 'messagesReceived',
  bytesReceived: 'bytesReceived',
  events: 'events',
  deliveries: 'deliveries',
  bytesSent: 'bytesWritten',
  socketWrites: 'socketWrites',
  slowConsumers: 'slowConsumers',
} as const satisfies Partial<Record<MetricKey, keyof HubCounters>>;

/** What is not counted as it happens but read off when somebody asks. */
@Injectable()
export class NodeMetrics {
  constructor(
    @Inject(GATEWAY_METRICS) private readonly metrics: Metrics,
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    private readonly hub: HubService,
    private readonly broker: Broker,
    private readonly directory: ChannelDirectory,
    private readonly webhooks: WebhookQueue,
    private readonly counts: HubMetrics,
  ) {}

  /** Sets every gauge, and the counters that the hub keeps itself. */
  read(): void {
    this.readHub();
    this.readCounters();
    this.readConfig();
    if (this.config.redis === undefined) return;
    const { redisUp } = this.metrics;
    redisUp.set({ connection: 'broker' }, Number(this.broker.isAvailable));
    redisUp.set({ connection: 'directory' }, Number(this.directory.isAvailable));
  }

  private readHub(): void {
    const { metrics, hub } = this;
    const { connectionsPerApp, channels, subscriptions } = hub.size();
    metrics.connections.set(hub.connectionCount);
    metrics.channels.set(channels);
    metrics.subscriptions.set(subscriptions);
    metrics.draining.set(Number(hub.isDraining));
    metrics.webhookQueueDepth.set(this.webhooks.depth);
    metrics.appConnections.reset();
    for (const app_id of this.counts.appLabels()) metrics.appConnections.set({ app_id }, 0);
    for (const [id, count] of connectionsPerApp)
      metrics.appConnections.inc({ app_id: this.counts.appLabel(id) }, count);
  }

  private readCounters(): void {
    const counters = this.hub.counters();
    this.metrics.outboxBytes.set(counters.outboxBytes);
    for (const [key, field] of Object.entries(COUNTED) as [keyof typeof COUNTED, keyof HubCounters][]) {
      setTo(this.metrics[key], counters[field]);
    }
  }

  private readConfig(): void {
    const { hub, compression } = this.config;
    const { outboundQueueSize, writeBurstSize, brokerQueueSize, shardQueueSize } = hub;
    const { deliveryConfig } = this.metrics;
    deliveryConfig.set({ key: 'outbound_queue_size' }, outboundQueueSize);
    deliveryConfig.set({ key: 'write_burst_size' }, writeBurstSize);
    deliveryConfig.set({ key: 'broker_queue_size' }, brokerQueueSize);
    deliveryConfig.set({ key: 'shard_queue_size' }, shardQueueSize);
    deliveryConfig.set({ key: 'enable_compression' }, Number(compression));
  }
}

/** A counter whose number somebody else keeps. */
function setTo(counter: Counter, value: number): void {
  counter.reset();
  counter.inc(value);
}
