/** Before every name: that of the Go module. */
export const PREFIX = 'pogo_websocket_';

interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Without {@link PREFIX}. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Of a histogram; those of Prometheus unless it says otherwise. */
  readonly buckets?: readonly number[];
  /** Counted and shown with `hot_path_metrics` only. */
  readonly isHotPath?: true;
}

const counter = (name: string, help: string, ...labels: string[]) =>
  ({ type: 'counter', name, help, labels }) satisfies MetricDefinition as MetricDefinition & { type: 'counter' };
const gauge = (name: string, help: string, ...labels: string[]) =>
  ({ type: 'gauge', name, help, labels }) satisfies MetricDefinition as MetricDefinition & { type: 'gauge' };
const histogram = (name: string, help: string, ...labels: string[]) =>
  ({ type: 'histogram', name, help, labels }) satisfies MetricDefinition as MetricDefinition & { type: 'histogram' };
const onHotPath = (name: string, buckets: readonly number[], help: string, ...labels: string[]) => ({
  ...histogram(name, help, ...labels),
  buckets,
  isHotPath: true as const,
});

/** 10 µs × 2^n, in seconds. */
const DELAYS = exponential(10e-6, 18);
/** 100 µs × 2^n, in seconds. */
const WRITES = exponential(100e-6, 16);
const SUBSCRIBERS = [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];
const DEPTHS = [0, 1, 2, 4, 8, 16, 32, 64, 128, 192, 256];

function exponential(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, n) => first * 2 ** n);
}

/** Every metric of the gateway. Names, types and labels of those that the Go module has are its own. */
export const METRICS = {
  connections: gauge('connections_active', 'Open connections on this node'),
  appConnections: gauge('app_connections', 'Open connections of an app on this node', 'app_id'),
  subscriptions: gauge('subscriptions_active', 'Subscriptions of the connections on this node'),
  channels: gauge('channels_active', 'Channels with subscribers on this node'),
  outboxBytes: gauge('outbox_bytes', 'Bytes that wait for clients whose sockets take no more'),
  webhookQueueDepth: gauge('webhook_queue_depth', 'Events for webhooks that wait on this node'),
  deliveryConfig: gauge('delivery_config', 'Settings of delivery', 'key'),
  draining: gauge('draining', '1 from the moment the node begins to stop'),
  redisUp: gauge('redis_up', '1 while the connection to Redis is in use; absent without Redis', 'connection'),
  messages: counter('messages_total', 'Publishes that were accepted'),
  appMessages: counter('app_messages_total', 'Publishes of an app that were accepted', 'app_id'),
  publishFailures: counter('publish_failures_total', 'Publishes that were refused', 'app_id', 'reason'),
  brokerDropped: counter(
    'broker_dropped_messages_total',
    'Events that were dropped before they reached a connection',
    'app_id',
    'reason',
  ),
  clientDropped: counter(
    'client_dropped_messages_total',
    'Frames that found the queue of their connection full',
    'app_id',
    'reason',
    'kind',
  ),
  slowConsumers: counter('slow_consumers_total', 'Connections that were closed because they did not read'),
  writeFailures: counter('write_failures_total', 'Writes to sockets that failed', 'kind'),
  authFailures: counter('auth_failures_total', 'Subscriptions and sign-ins that were not let through', 'reason'),
  authDuration: histogram('auth_duration_seconds', 'How long it took to decide on a subscription or sign-in'),
  circuitOpen: counter('circuit_breaker_open_total', 'Times that an authorization endpoint was given up for a while'),
  handshakeRejected: counter('handshake_rejected_total', 'Clients that were refused at the door', 'reason'),
  webhookDropped: counter('webhook_dropped_total', 'Events that no webhook told of', 'reason'),
  webhookEvents: counter('webhook_events_total', 'Events that an endpoint was told of', 'result'),
  messagesReceived: counter('messages_received_total', 'Messages of clients, pings aside'),
  bytesReceived: counter('bytes_received_total', 'Bytes of these messages'),
  events: counter('events_total', 'Events that arrived for channels with subscribers on this node'),
  deliveries: counter('deliveries_total', 'Events that were written to a connection, or to its queue'),
  bytesSent: counter('bytes_sent_total', 'Bytes that were written to sockets'),
  socketWrites: counter('socket_writes_total', 'System calls that wrote them'),
  publishDuration: onHotPath('publish_duration_seconds', DELAYS, 'How long a publish took', 'phase'),
  brokerToHub: onHotPath('broker_to_hub_delay_seconds', DELAYS, 'From the publishing node to this one'),
  hubToShard: onHotPath('hub_to_shard_delay_seconds', DELAYS, 'From the arrival of an event to its first write'),
  fanOutSubscribers: onHotPath('fanout_subscribers', SUBSCRIBERS, 'Local subscribers of a written batch'),
  clientQueueDepth: onHotPath('client_queue_depth', DEPTHS, 'Frames that waited for a socket when it took bytes again'),
  clientQueueResidence: onHotPath('client_queue_residence_seconds', WRITES, 'How long the oldest of them had waited'),
  writeDuration: onHotPath('write_duration_seconds', WRITES, 'Time spent writing a batch, or a queue', 'kind'),
  writeTotal: onHotPath(
    'write_total_duration_seconds',
    WRITES,
    'The same with the turns of other channels, or the wait in the queue',
    'kind',
  ),
};

export type MetricKey = keyof typeof METRICS;
