import { Inject, Injectable } from '@nestjs/common';
import {
  AppProvider,
  AUTH_FAILURES,
  ConfigAppProvider,
  HubEvents,
  HubService,
  PublishStatus,
  type HubEventMap,
  type HubEventName,
} from '@pogo/hub';
import { GATEWAY_METRICS, type Metrics } from './metrics.js';

const FAILURES: Partial<Record<PublishStatus, string>> = {
  [PublishStatus.broker_failed]: 'broker_failed',
  [PublishStatus.broker_queue_full]: 'broker_queue_full',
  [PublishStatus.shard_queue_full]: 'shard_queue_full',
};

/** Why a client was refused, by the code that it was told. */
const REFUSALS: Readonly<Record<number, string>> = {
  429: 'throttled',
  4001: 'unknown_app',
  4003: 'app_disabled',
  4004: 'over_quota',
  4005: 'unknown_path',
  4006: 'invalid_version',
  4007: 'unsupported_version',
  4009: 'origin',
  4100: 'over_capacity',
};

/** Both have the code of "over capacity", which makes clients come back later. */
const DRAINING = 'draining';
const ADDRESS_FULL = 'address_full';

/** Apps that the configuration does not name. */
const OTHER = 'other';

const MS = 1_000;

/**
 * Counts what the hub tells: a few additions for each publish and refusal, nothing for a recipient, and nothing at all
 * before {@link count} is called.
 */
@Injectable()
export class HubMetrics {
  /** App's label → publishes. */
  private readonly accepted = new Map<string, number>();

  constructor(
    @Inject(GATEWAY_METRICS) private readonly metrics: Metrics,
    private readonly events: HubEvents,
    private readonly apps: AppProvider,
    private readonly hub: HubService,
  ) {}

  /** Begins to count. @param isHotPath also what happens for every write. */
  count(isHotPath: boolean): void {
    this.showZeros();
    this.countPublishing();
    this.countDoor();
    this.countWebhooks();
    if (isHotPath) this.countHotPath();
  }

  /** Hands on what is kept in plain numbers: a labelled counter costs a publish as much as its channel's name does. */
  read(): void {
    const { messages, appMessages } = this.metrics;
    messages.reset();
    appMessages.reset();
    for (const [app_id, count] of this.accepted) {
      messages.inc(count);
      appMessages.inc({ app_id }, count);
    }
  }

  /** The id, of apps of the configuration; others are any number, and a label's values stay in memory. */
  appLabel(appId: string): string {
    return this.apps instanceof ConfigAppProvider ? appId : OTHER;
  }

  /** The labels that apps without connections have as well. */
  appLabels(): Iterable<string> {
    return this.apps instanceof ConfigAppProvider ? this.apps.ids : [OTHER];
  }

  /** What has never happened is 0, not missing: a rate over it has a value, and an alert something to look at. */
  private showZeros(): void {
    const { authFailures, webhookDropped, handshakeRejected, webhookEvents, writeFailures } = this.metrics;
    for (const reason of AUTH_FAILURES) authFailures.inc({ reason }, 0);
    for (const reason of ['queue_full', 'closed', 'expired']) webhookDropped.inc({ reason }, 0);
    for (const reason of [...Object.values(REFUSALS), DRAINING, ADDRESS_FULL]) handshakeRejected.inc({ reason }, 0);
    for (const result of ['taken', 'failed']) webhookEvents.inc({ result }, 0);
    writeFailures.inc({ kind: 'bytes' }, 0);
  }

  private countPublishing(): void {
    const { publishFailures, brokerDropped, clientDropped, writeFailures } = this.metrics;
    this.on('published', ({ app, status }) => {
      const app_id = this.appLabel(app.id);
      if (status === PublishStatus.ok) this.accepted.set(app_id, (this.accepted.get(app_id) ?? 0) + 1);
      else publishFailures.inc({ app_id, reason: FAILURES[status] ?? 'failed' });
    });
    this.on('eventDropped', ({ appId, reason, kind = 'prepared', count }) => {
      const app_id = this.appLabel(appId);
      if (reason === 'outbox_full') clientDropped.inc({ app_id, reason: 'queue_full', kind }, count);
      else if (reason === 'shard_queue_full') brokerDropped.inc({ app_id, reason }, count);
      else if (reason === 'broker_queue_full') brokerDropped.inc({ app_id, reason: 'queue_full' }, count);
      else publishFailures.inc({ app_id, reason }, count);
    });
    // A stream fails as a whole: whose frames it had not handed on is not known.
    this.on('writeFailed', () => writeFailures.inc({ kind: 'bytes' }));
  }

  private countDoor(): void {
    const { authFailures, authDuration, circuitOpen, handshakeRejected } = this.metrics;
    this.on('authFailed', ({ failure }) => authFailures.inc({ reason: failure }));
    this.on('authDecided', ({ tookMs }) => authDuration.observe(tookMs / MS));
    this.on('authCircuitOpened', () => circuitOpen.inc());
    this.on('handshakeRejected', ({ code, isAddressFull = false }) => {
      const reason = isAddressFull ? ADDRESS_FULL : (REFUSALS[code] ?? String(code));
      handshakeRejected.inc({ reason: this.hub.isDraining ? DRAINING : reason });
    });
  }

  private countWebhooks(): void {
    const { webhookDropped, webhookEvents } = this.metrics;
    this.on('webhookDropped', ({ reason, count }) => webhookDropped.inc({ reason }, count));
    this.on('webhookSent', ({ events, isTaken }) =>
      webhookEvents.inc({ result: isTaken ? 'taken' : 'failed' }, events),
    );
  }

  private countHotPath(): void {
    const { publishDuration, brokerToHub, hubToShard, fanOutSubscribers, writeDuration, writeTotal } = this.metrics;
    const { clientQueueDepth, clientQueueResidence } = this.metrics;
    const phases = {
      validate: publishDuration.tally({ phase: 'validate' }),
      broker: publishDuration.tally({ phase: 'broker' }),
      total: publishDuration.tally({ phase: 'total' }),
    };
    this.on('publishTimed', ({ validateMs, brokerMs, totalMs }) => {
      phases.validate.observe(validateMs / MS);
      phases.broker.observe(brokerMs / MS);
      phases.total.observe(totalMs / MS);
    });
    const delay = brokerToHub.tally({});
    // Clocks of two machines are not the same.
    this.on('eventArrived', ({ delayMs }) => delay.observe(Math.max(0, delayMs / MS)));
    const batches = {
      delay: hubToShard.tally({}),
      subscribers: fanOutSubscribers.tally({}),
      writing: writeDuration.tally({ kind: 'prepared' }),
      total: writeTotal.tally({ kind: 'prepared' }),
    };
    this.on('batchWritten', ({ subscribers, waitedMs, writingMs, totalMs }) => {
      batches.delay.observe(waitedMs / MS);
      batches.subscribers.observe(subscribers);
      batches.writing.observe(writingMs / MS);
      batches.total.observe(totalMs / MS);
    });
    const queues = {
      depth: clientQueueDepth.tally({}),
      residence: clientQueueResidence.tally({}),
      writing: writeDuration.tally({ kind: 'bytes' }),
      total: writeTotal.tally({ kind: 'bytes' }),
    };
    this.on('outboxWritten', ({ depth, waitedMs, writingMs }) => {
      queues.depth.observe(depth);
      queues.residence.observe(waitedMs / MS);
      queues.writing.observe(writingMs / MS);
      queues.total.observe((waitedMs + writingMs) / MS);
    });
  }

  private on<Name extends HubEventName>(name: Name, listener: (event: HubEventMap[Name]) => void): void {
    this.events.on(name, listener);
  }
}
