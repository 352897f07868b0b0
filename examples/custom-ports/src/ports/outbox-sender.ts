import { Injectable } from '@nestjs/common';
import { WebhookSender, type Webhook } from 'pogo-gateway/hub';
import { Outbox } from './outbox.js';

/** Webhooks into a table of the application's instead of over HTTP. */
@Injectable()
export class OutboxSender extends WebhookSender {
  constructor(private readonly outbox: Outbox) {
    super();
  }

  /** Whatever it throws, the same batch comes again. */
  async send({ app, body }: Webhook): Promise<void> {
    await this.outbox.insert(app.id, body);
  }
}
