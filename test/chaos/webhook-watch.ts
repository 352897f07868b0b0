import { WebhookEndpoint, wordOf, type WebhookJson } from '../support/webhook-endpoint.js';
import { isPresence } from './channels.js';
import type { Journal } from './journal.js';
import { difference, type Truth } from './truth.js';

const OPPOSITES: Readonly<Record<string, string>> = {
  channel_occupied: 'channel_vacated',
  channel_vacated: 'channel_occupied',
  member_added: 'member_removed',
  member_removed: 'member_added',
};

/** What the application is told by webhooks: changes of one thing alternate, and in the end it knows who is there. */
export class WebhookWatch {
  /** Channel, or channel and user → what was told of it last. */
  private readonly told = new Map<string, string>();
  private lastBatch: readonly string[] = [];
  /** Nothing that waited to be told was lost with Redis. */
  private isComplete = true;

  private constructor(
    readonly endpoint: WebhookEndpoint,
    private readonly journal: Journal,
  ) {
    endpoint.onTaken = ({ events }) => this.take(events);
  }

  static async start(journal: Journal): Promise<WebhookWatch> {
    return new WebhookWatch(await WebhookEndpoint.start(), journal);
  }

  /** The data of Redis are gone, and what waited to be told with them. */
  beginAnew(): void {
    this.isComplete = false;
    this.told.clear();
  }

  /** What the application believes and is not so. */
  problems(truth: Truth): string[] {
    const wanted = new Set<string>();
    for (const channel of truth.subscribers.keys()) {
      wanted.add(channel);
      if (isPresence(channel)) for (const user of truth.membersOf(channel)) wanted.add(`${channel} ${user}`);
    }
    const isThere = (kind: string | undefined) => kind === 'channel_occupied' || kind === 'member_added';
    const believed = [...this.told].filter(([, kind]) => isThere(kind)).map(([subject]) => subject);
    const expected = [...wanted].filter((subject) => this.isComplete || this.told.has(subject));
    return difference('webhooks', believed.sort(), expected.sort());
  }

  private take(events: readonly WebhookJson[]): void {
    const words = events.map((event) => JSON.stringify(event));
    // At least once: a node that died before it could note that this was taken leaves it to another.
    const isRepeated = this.lastBatch.every((word, i) => words[i] === undefined || words[i] === word);
    const known = isRepeated ? this.lastBatch.length : 0;
    if (known > 0) this.journal.count('webhooks repeated', Math.min(known, events.length));
    this.lastBatch = words;
    for (const event of events.slice(known)) this.note(event);
  }

  private note(event: WebhookJson): void {
    this.journal.count(`webhook ${event.name}`);
    if (OPPOSITES[event.name] === undefined) return;
    const subject = event.user_id === undefined ? event.channel : `${event.channel} ${event.user_id}`;
    const before = this.told.get(subject);
    this.told.set(subject, event.name);
    this.journal.note(`webhook ${wordOf(event)}`);
    // What was told before the data were lost is not known.
    if (before === undefined || OPPOSITES[event.name] === before) return;
    this.journal.violation('webhook', `${wordOf(event)} follows ${before}`);
  }
}
