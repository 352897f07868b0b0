import { Injectable } from '@nestjs/common';

/** What other parts of the application work through. A real one is a table, or a topic of Kafka. */
@Injectable()
export class Outbox {
  readonly rows: { readonly appId: string; readonly body: string }[] = [];
  /** Called after each insert. */
  inserted: () => void = () => undefined;

  async insert(appId: string, body: string): Promise<void> {
    this.rows.push({ appId, body });
    this.inserted();
    return Promise.resolve();
  }
}
