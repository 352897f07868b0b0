import type { Item } from './decisions.js';
import type { Journal } from './journal.js';
import type { SimulatedClient } from './simulated-client.js';

export interface Publication {
  readonly number: number;
  /** Those of one publisher are sent one after the other. Undefined for a check's own. */
  readonly publisher: string | undefined;
  /** Number of the first event of the same request. */
  readonly request: number;
  readonly sentAt: number;
  readonly excludedSocket: string | undefined;
  /** Nothing was the matter for a while when it was sent. */
  readonly isCalm: boolean;
  answeredAt: number | undefined;
  /** `unknown`: refused, or never answered, which does not mean that nobody gets it. */
  outcome: 'pending' | 'ok' | 'unknown';
}

/** After the last fault, until nothing may be lost any more. */
const CALM_AFTER_MS = 12_000;
/** From a publish until a fault that still may have an effect on it. */
const CALM_BEFORE_MS = 2_000;

/** Everything that was published, what became of it, and who should have it. */
export class Publications {
  private readonly all = new Map<number, Publication>();
  /** Who was in the channel all along, and has still to get it: channel and number. */
  private readonly awaited = new Map<SimulatedClient, Map<string, [channel: string, number: number]>>();
  private readonly faults: number[] = [];
  private activeFaults = 0;
  private calmSince = 0;

  constructor(private readonly journal: Journal) {}

  faultBegins(): void {
    this.activeFaults++;
    this.faults.push(performance.now());
  }

  faultEnds(): void {
    this.activeFaults--;
    this.calmSince = performance.now() + CALM_AFTER_MS;
  }

  /** Nothing is the matter, and has not been for a while. */
  get isCalm(): boolean {
    return this.activeFaults === 0 && performance.now() > this.calmSince;
  }

  /** It is about to be sent. @param clients those connected now. */
  sent(item: Item, clients: readonly SimulatedClient[], publisher?: string, request = item.number): Publication {
    const now = performance.now();
    const excludedSocket = clients.find(({ id }) => id === item.except)?.socketId;
    const { number, channels } = item;
    const publication: Publication = {
      number,
      publisher,
      request,
      sentAt: now,
      excludedSocket,
      isCalm: this.isCalm,
      answeredAt: undefined,
      outcome: 'pending',
    };
    this.all.set(number, publication);
    this.journal.count('events published', channels.length);
    for (const client of clients) {
      if (client.socketId === excludedSocket) continue;
      const present = channels.filter((channel) => client.views.get(channel)?.steadySince !== undefined);
      for (const channel of present) this.await(client, channel, number);
    }
    return publication;
  }

  answered(publication: Publication, outcome: 'ok' | 'unknown'): void {
    publication.answeredAt = performance.now();
    publication.outcome = outcome;
    this.journal.count(`publish answered ${outcome}`);
  }

  received(client: SimulatedClient, channel: string, number: number, isCached: boolean): void {
    this.journal.count('events delivered');
    const publication = this.all.get(number);
    this.awaited.get(client)?.delete(`${channel} ${number}`);
    if (publication === undefined) {
      this.journal.violation('event', `client ${client.id} got event ${number}, which nobody has sent`);
    } else if (!isCached && publication.excludedSocket === client.socketId) {
      this.journal.violation(
        'exclusion',
        `client ${client.id} got event ${number} of ${channel} in spite of exclusion`,
      );
    }
  }

  /** It has asked to leave the channel, or is gone: what it misses is no loss. */
  forget(client: SimulatedClient, channel?: string): void {
    if (channel === undefined) this.awaited.delete(client);
    const awaited = this.awaited.get(client);
    for (const [key, [name]] of awaited ?? []) if (name === channel) awaited?.delete(key);
  }

  /** Counts what was accepted and has not come. In a calm nothing may be lost. For when all has arrived. */
  countLost(): void {
    for (const [client, awaited] of this.awaited) {
      for (const [channel, number] of awaited.values()) {
        const publication = this.all.get(number);
        if (publication?.outcome !== 'ok') continue;
        this.journal.count('deliveries lost');
        if (publication.isCalm && !this.isDisturbed(publication)) {
          this.journal.violation('loss', `client ${client.id} never got event ${number} of ${channel}, sent in a calm`);
        }
      }
    }
    this.awaited.clear();
  }

  /**
   * Whether `first` may come before `second`. It may not when it was published later by the same publisher, who knew by
   * then that `second` had been accepted.
   */
  mayComeBefore(first: number, second: number): boolean {
    const [one, other] = [this.all.get(first), this.all.get(second)];
    if (one?.publisher === undefined || one.publisher !== other?.publisher) return true;
    if (one.number < other.number || other.outcome !== 'ok') return true;
    return one.request !== other.request && (other.answeredAt ?? Infinity) > one.sentAt;
  }

  publisherOf(number: number): string | undefined {
    return this.all.get(number)?.publisher;
  }

  private await(client: SimulatedClient, channel: string, number: number): void {
    const awaited = this.awaited.get(client) ?? new Map<string, [string, number]>();
    awaited.set(`${channel} ${number}`, [channel, number]);
    this.awaited.set(client, awaited);
  }

  private isDisturbed({ sentAt }: Publication): boolean {
    return this.faults.some((at) => at > sentAt && at < sentAt + CALM_BEFORE_MS);
  }
}
