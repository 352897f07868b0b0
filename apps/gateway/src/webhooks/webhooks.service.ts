import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import {
  AppProvider,
  HubEvents,
  wants,
  WebhookQueue,
  WebhookSender,
  type App,
  type HubEventMap,
  type WebhookEndpoint,
} from '@pogo/hub';
import { signWebhook, webhookBody, type WebhookEvent } from '@pogo/pusher-protocol';

/** An endpoint that takes longer has failed. */
const ANSWER_MS = 5_000;
/** Failures of one endpoint are logged so often. */
const LOG_PAUSE_MS = 60_000;

/** Tells applications by HTTP what has happened in their channels. */
@Injectable()
export class WebhooksService implements OnModuleInit {
  private readonly logger = new Logger('Webhooks');
  /** Endpoint → when its failure was last logged. */
  private readonly failing = new Map<string, number>();

  constructor(
    private readonly apps: AppProvider,
    private readonly queue: WebhookQueue,
    private readonly sender: WebhookSender,
    private readonly events: HubEvents,
  ) {}

  onModuleInit(): void {
    this.queue.attach({
      endpointsOf: async (appId) => (await this.apps.findById(appId))?.webhooks ?? [],
      send: (appId, endpoint, events) => this.send(appId, endpoint, events),
      dropped: (appId, reason, count) => this.events.emit('webhookDropped', { appId, reason, count }),
    });
    this.events.on('clientEvent', (event) => this.addClientEvent(event));
    this.events.on('cacheMiss', ({ app, channel }) => this.add(app, { name: 'cache_miss', channel }));
  }

  private addClientEvent({ connection, channel, event, dataJson, userId }: HubEventMap['clientEvent']): void {
    const { app, socketId } = connection;
    this.add(app, {
      name: 'client_event',
      channel,
      event,
      socketId,
      ...(dataJson === undefined ? {} : { dataJson }),
      ...(userId === undefined ? {} : { userId }),
    });
  }

  /** What nobody wants costs no more than the question. */
  private add(app: App, event: WebhookEvent): void {
    if (app.webhooks.some((endpoint) => wants(endpoint, event))) this.queue.add(app, event);
  }

  private async send(appId: string, endpoint: WebhookEndpoint, events: readonly string[]): Promise<void> {
    const app = await this.apps.findById(appId);
    // Without its secret nobody would believe it.
    if (app === undefined) return;
    const body = webhookBody(Date.now(), events);
    const signature = signWebhook(endpoint.secret ?? app.secret, body);
    try {
      await this.sendInTime((signal) => this.sender.send({ app, endpoint, body, signature }, signal));
    } catch (error) {
      this.events.emit('webhookSent', { appId, events: events.length, isTaken: false });
      this.logFailure(endpoint, error);
      throw error;
    }
    this.events.emit('webhookSent', { appId, events: events.length, isTaken: true });
    if (this.failing.delete(endpoint.url)) this.logger.log(`${nameOf(endpoint)} takes webhooks again`);
  }

  /** Somebody's own sender may look at the signal, or not. */
  private async sendInTime(send: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const signal = AbortSignal.timeout(ANSWER_MS);
    let stop: () => void = () => undefined;
    const tooLate = new Promise<never>((_resolve, reject) => {
      stop = () => reject(new Error(`no answer within ${ANSWER_MS / 1_000} s`));
      signal.addEventListener('abort', stop);
    });
    try {
      await Promise.race([send(signal), tooLate]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  private logFailure(endpoint: WebhookEndpoint, error: unknown): void {
    const now = performance.now();
    if (now - (this.failing.get(endpoint.url) ?? -Infinity) < LOG_PAUSE_MS) return;
    this.failing.set(endpoint.url, now);
    this.logger.warn(
      `${nameOf(endpoint)} takes no webhooks: ${reasonOf(error)}; what waits is sent again for 5 minutes`,
    );
  }
}

/** A query may have a token in it. */
function nameOf({ url }: WebhookEndpoint): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** `fetch` hides what happened in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? cause.message || cause.name : error.message;
}
