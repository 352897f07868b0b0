import type { Rate } from './app/app.js';

/** Settings of one hub, complete. Durations in ms unless the name says otherwise; meanings in docs/configuration.md. */
export class HubOptions {
  readonly maxConnections: number = 10_000;
  /** Connections of one client IP, or of one /64 of IPv6; undefined = no limit. */
  readonly maxConnectionsPerIp: number | undefined = undefined;
  /** Handshakes of one client IP, or of one /64 of IPv6; undefined = no limit. */
  readonly handshakeRate: Rate | undefined = { perSecond: 100, burst: 50 };
  readonly pingPeriodMs: number = 54_000;
  readonly pongWaitMs: number = 60_000;
  readonly activityTimeoutSeconds: number = 120;
  readonly maxInboxMessages: number = 256;
  readonly maxInboxBytes: number = 1_048_576;
  readonly outboundQueueSize: number = 256;
  readonly outboundQueueBytes: number = 1_048_576;
  readonly slowConsumer: 'disconnect' | 'drop' = 'disconnect';
  readonly writeWaitMs: number = 10_000;
  readonly writeBurstSize: number = 64;
  readonly brokerQueueSize: number = 1_024;
  /** Events that may be pending in one shard of the channels; a publish over it gets status 9. */
  readonly shardQueueSize: number = 1_024;
  readonly numShards: number = 4;
  /** Reports `publishTimed`, `eventArrived`, `batchWritten` and `outboxWritten`; costs clock readings per event. */
  readonly hotPathMetrics: boolean = false;
  readonly authTimeoutMs: number = 3_000;
  /** Requests to one authorization endpoint at once; more are denied. */
  readonly maxConcurrentAuth: number = 100;
  /** Idle connections to one authorization endpoint that are kept for the next request. */
  readonly maxIdleAuthSockets: number = 2;
  /** Largest answer of an authorization endpoint. */
  readonly maxAuthBodyBytes: number = 16_384;
  /** How long a subscription is held unanswered while the cluster's state is out of reach; then close 4200. */
  readonly joinDeadlineMs: number = 10_000;
  /** How long a broker topic stays subscribed after its last local subscriber. */
  readonly topicLingerMs: number = 5_000;

  constructor(overrides: Partial<HubOptions> = {}) {
    Object.assign(this, overrides);
  }
}
