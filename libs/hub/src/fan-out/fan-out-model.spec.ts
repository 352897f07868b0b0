import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endOfTurn, hangUp, subscribe, TestCluster, type FakeClient } from '../testing/hub-harness.js';

/*
 * Whatever happens in whatever order, a client gets of each channel: nothing from before it joined or after it left,
 * nothing twice, nothing that excludes it, nothing out of order, and everything that was written while it was there.
 */

const CLIENTS = 40;
const CHANNELS = ['a', 'b', 'cache-c'];

type Step =
  | { readonly do: 'publish'; readonly channel: number; readonly except: number | undefined; readonly large: boolean }
  | { readonly do: 'join' | 'leave'; readonly client: number; readonly channel: number }
  | { readonly do: 'block' | 'drain' | 'close'; readonly client: number }
  | { readonly do: 'slice' | 'turn' };

const client = fc.nat(CLIENTS - 1);
const channel = fc.nat(CHANNELS.length - 1);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('publish' as const),
        channel,
        except: fc.option(client, { nil: undefined }),
        large: fc.boolean(),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('join' as const, 'leave' as const), client, channel }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constantFrom('block' as const, 'drain' as const, 'close' as const), client }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('slice' as const, 'turn' as const) }) },
  ),
  { minLength: 20, maxLength: 120 },
);

/** One stay of a client in a channel and the events that were published during it. */
interface Stay {
  readonly published: string[];
  /** How many of them must have been written when it ended. */
  written: number;
  /** Its acknowledgement has been written: in the outbox of a blocked client it is lost when that closes. */
  isAcknowledged: boolean;
  hasEnded: boolean;
}

class Model {
  private readonly cluster = new TestCluster({ options: { outboundQueueSize: 10_000, outboundQueueBytes: 1e9 } });
  private readonly clients: FakeClient[] = Array.from({ length: CLIENTS }, () => this.cluster.node(0).connect());
  private readonly stays = new Map<string, Stay[]>();
  private events = 0;
  /** The last event of the cache channel: it comes with the acknowledgement, and counts as published then. */
  private cached: string | undefined;

  async start(): Promise<void> {
    for (const [i] of this.clients.entries()) if (i % 4 !== 3) await this.join(i, 0);
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'publish':
        return this.publish(step.channel, step.except, step.large);
      case 'join':
        return this.join(step.client, step.channel);
      case 'leave':
        return this.leave(step.client, step.channel);
      case 'block':
        (this.clients[step.client] as FakeClient).socket.accepts = false;
        return;
      case 'drain':
        this.drain(step.client);
        return;
      case 'close':
        hangUp(this.clients[step.client] as FakeClient);
        for (const [i] of CHANNELS.entries()) this.endStay(step.client, i);
        return;
      case 'slice':
        // Perhaps not all of it: large events to 40 clients take longer than a slice.
        return endOfTurn();
      case 'turn':
        return this.turn();
    }
  }

  async check(): Promise<void> {
    await this.turn();
    for (const [i] of this.clients.entries()) this.drain(i);
    for (const [key, stays] of this.stays) {
      const [clientIndex, channelName] = key.split(' ') as [string, string];
      const { events } = (this.clients[Number(clientIndex)] as FakeClient).socket;
      const received = splitByAcknowledgement(events.filter((event) => event.channel === channelName));
      // The last ones may lack it: an outbox keeps the order.
      expect(received.length).toBeLessThanOrEqual(stays.length);
      expect(received.length).toBeGreaterThanOrEqual(stays.filter(({ isAcknowledged }) => isAcknowledged).length);
      for (const [n, { published, written, hasEnded }] of stays.entries()) {
        const got = received[n] ?? [];
        // It may get less than was published only when it ended before that was written.
        expect(got).toEqual(published.slice(0, got.length));
        expect(got.length).toBeGreaterThanOrEqual(hasEnded ? written : published.length);
      }
    }
    await this.cluster.close();
  }

  private async publish(channelIndex: number, except: number | undefined, large: boolean): Promise<void> {
    const name = CHANNELS[channelIndex] as string;
    const event = `e${this.events++}`;
    const exceptSocketId = except === undefined ? '' : (this.clients[except] as FakeClient).connection.socketId;
    await this.cluster.node(0).hub.publish('app', name, event, large ? 'x'.repeat(30_000) : '1', { exceptSocketId });
    if (name.startsWith('cache-')) this.cached = event;
    for (const [i] of this.clients.entries()) {
      if (i !== except) this.openStay(i, channelIndex)?.published.push(event);
    }
  }

  private async join(index: number, channelIndex: number): Promise<void> {
    const joining = this.clients[index] as FakeClient;
    if (!joining.connection.isOpen || this.openStay(index, channelIndex) !== undefined) return;
    await subscribe(joining, CHANNELS[channelIndex] as string);
    const key = `${index} ${CHANNELS[channelIndex]}`;
    const published = key.includes('cache-') && this.cached !== undefined ? [this.cached] : [];
    const stay = { published, written: 0, isAcknowledged: joining.socket.accepts, hasEnded: false };
    this.stays.set(key, [...(this.stays.get(key) ?? []), stay]);
  }

  private async leave(index: number, channelIndex: number): Promise<void> {
    const leaving = this.clients[index] as FakeClient;
    await this.cluster.node(0).hub.unsubscribe(leaving.connection, CHANNELS[channelIndex] as string);
    this.endStay(index, channelIndex);
  }

  private drain(index: number): void {
    const { socket, connection } = this.clients[index] as FakeClient;
    // With its socket the outbox has gone.
    if (!connection.isOpen) return;
    socket.accepts = true;
    connection.handleDrain();
    for (const [key, stays] of this.stays) {
      if (key.startsWith(`${index} `)) for (const stay of stays) stay.isAcknowledged = true;
    }
  }

  /** Everything pending is written, in however many slices; then what was published so far counts as written. */
  private async turn(): Promise<void> {
    let before: number;
    do {
      before = this.cluster.node(0).hub.counters().batches;
      await endOfTurn();
      await endOfTurn();
    } while (this.cluster.node(0).hub.counters().batches > before);
    for (const [key, stays] of this.stays) {
      const [index] = key.split(' ');
      // What waits in an outbox is not lost unless the client closes.
      const { socket } = this.clients[Number(index)] as FakeClient;
      for (const stay of stays) if (!stay.hasEnded && socket.accepts) stay.written = stay.published.length;
    }
  }

  private openStay(index: number, channelIndex: number): Stay | undefined {
    return this.stays.get(`${index} ${CHANNELS[channelIndex]}`)?.find(({ hasEnded }) => !hasEnded);
  }

  private endStay(index: number, channelIndex: number): void {
    const stay = this.openStay(index, channelIndex);
    if (stay !== undefined) stay.hasEnded = true;
  }
}

/** The names of the published events after each acknowledgement. */
function splitByAcknowledgement(events: readonly { event: string }[]): string[][] {
  const stays: string[][] = [];
  for (const { event } of events) {
    if (event === 'pusher_internal:subscription_succeeded') stays.push([]);
    else if (event !== 'pusher:cache_miss') stays.at(-1)?.push(event);
  }
  return stays;
}

describe('the fan-out, whatever happens', () => {
  it('gives every subscriber what is its own, once and in order', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const model = new Model();
        await model.start();
        for (const step of sequence) await model.take(step);
        await model.check();
      }),
      { numRuns: 60 },
    );
  });
});
