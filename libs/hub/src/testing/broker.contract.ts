import assert from 'node:assert/strict';
import { askAgain } from '../ask-again.js';
import type { Broker } from '../broker/broker.js';
import { UnavailableError } from '../unavailable-error.js';
import { eachWith, eventually, type Harness, type TestApi } from './test-api.js';

/** Two nodes' brokers that reach each other; nothing is subscribed yet and no listener set. */
export interface BrokerHarness extends Harness {
  readonly nodes: readonly [Broker, Broker];
}

/** What every {@link Broker} must do. Run it in your own suite over your own implementation. */
export function brokerContract(api: TestApi, name: string, create: () => Promise<BrokerHarness> | BrokerHarness): void {
  api.describe(`Broker contract: ${name}`, () => {
    const test = eachWith(api, create);

    test('delivers to every subscribed node, the publisher included, byte for byte', async ({ nodes }) => {
      const [a, b] = listenAll(nodes);
      await subscribeAll(nodes, 'app/channel');
      const bytes = Buffer.from([0, 255, 10, 13, 0, 0xc3, 0x28]);
      await publishSurely(nodes[0], 'app/channel', bytes);
      await eventually(() => a.length === 1 && b.length === 1);
      assert.deepEqual(a[0], ['app/channel', bytes]);
      assert.deepEqual(b[0], ['app/channel', bytes]);
    });

    test('delivers nothing to a node that is not subscribed', async ({ nodes }) => {
      const [, b] = listenAll(nodes);
      await askAgain(() => nodes[0].subscribe('app/one'), never);
      await askAgain(() => nodes[1].subscribe('app/other'), never);
      await publishSurely(nodes[0], 'app/one', Buffer.from('1'));
      await publishSurely(nodes[0], 'app/other', Buffer.from('2'));
      await eventually(() => b.length > 0);
      assert.deepEqual(b, [['app/other', Buffer.from('2')]]);
    });

    test('delivers once although a node has subscribed twice', async ({ nodes }) => {
      const [a] = listenAll(nodes);
      await subscribeAll(nodes, 'app/channel');
      await subscribeAll(nodes, 'app/channel');
      await publishSurely(nodes[1], 'app/channel', Buffer.from('1'));
      await publishSurely(nodes[1], 'app/channel', Buffer.from('2'));
      await eventually(() => textsOf(a).includes('2'));
      assert.deepEqual(textsOf(a), ['1', '2']);
    });

    test('delivers nothing after an unsubscribe, and again after a new subscribe', async ({ nodes }) => {
      const [a, b] = listenAll(nodes);
      await subscribeAll(nodes, 'app/channel');
      await askAgain(() => nodes[1].unsubscribe('app/channel'), never);
      await publishSurely(nodes[0], 'app/channel', Buffer.from('missed'));
      await eventually(() => textsOf(a).includes('missed'));
      await askAgain(() => nodes[1].subscribe('app/channel'), never);
      await publishSurely(nodes[0], 'app/channel', Buffer.from('seen'));
      await eventually(() => b.length > 0);
      assert.deepEqual(textsOf(b), ['seen']);
    });

    test('keeps topics apart whatever is in their names', async ({ nodes }) => {
      const [a] = listenAll(nodes);
      const topics = ['app/__proto__', 'app/#server-to-user-a b*?[ü]', 'app/x', 'app2/x', 'app/x.*'];
      for (const topic of topics) await askAgain(() => nodes[0].subscribe(topic), never);
      for (const topic of topics) await publishSurely(nodes[1], topic, Buffer.from(topic));
      await eventually(() => a.length === topics.length);
      for (const [topic, bytes] of a) assert.equal(bytes.toString(), topic);
    });

    test('has one order per topic on all nodes, and each publisher’s own order in it', async ({ nodes }) => {
      const [a, b] = listenAll(nodes);
      await subscribeAll(nodes, 'app/channel');
      const numbers = Array.from({ length: 200 }, (_, i) => i);
      const outcomes = await Promise.all(
        numbers.flatMap((i) =>
          nodes.map((node, n) => outcomeOf(node.publish('app/channel', Buffer.from(`${n}:${i}`)))),
        ),
      );
      for (const node of nodes) await publishSurely(node, 'app/channel', Buffer.from('end'));
      await eventually(() => [a, b].every((list) => textsOf(list).filter((text) => text === 'end').length === 2));
      assert.deepEqual(textsOf(a), textsOf(b));
      const received = textsOf(a).filter((text) => text !== 'end');
      assert.equal(new Set(received).size, received.length, 'at most once');
      const sent = numbers.flatMap((i) => [`0:${i}`, `1:${i}`]);
      for (const [i, text] of sent.entries()) {
        if (outcomes[i] === 'done') assert.ok(received.includes(text), `${text} was accepted and must arrive`);
        if (outcomes[i] === 'not_done') assert.ok(!received.includes(text), `${text} was refused and must not arrive`);
      }
      for (const n of [0, 1]) {
        const own = received.filter((text) => text.startsWith(`${n}:`)).map((text) => Number(text.slice(2)));
        assert.deepEqual(
          own,
          own.toSorted((x, y) => x - y),
        );
      }
    });
  });
}

type Delivered = [topic: string, envelope: Buffer][];

const never = () => false;

function listenAll(nodes: readonly [Broker, Broker]): [Delivered, Delivered] {
  const lists: [Delivered, Delivered] = [[], []];
  nodes.forEach((node, i) =>
    node.attach({
      message: (topic, envelope) => lists[i]?.push([topic, envelope]),
      interrupted: () => undefined,
      resumed: () => undefined,
    }),
  );
  return lists;
}

async function subscribeAll(nodes: readonly Broker[], topic: string): Promise<void> {
  await Promise.all(nodes.map((node) => askAgain(() => node.subscribe(topic), never)));
}

function textsOf(delivered: Delivered): string[] {
  return delivered.map(([, envelope]) => envelope.toString());
}

function outcomeOf(publish: Promise<void>): Promise<'done' | 'not_done' | 'maybe_done'> {
  return publish.then(
    () => 'done' as const,
    (error: unknown) => {
      if (error instanceof UnavailableError) return error.outcome;
      throw error;
    },
  );
}

/** Repeats what was certainly not done. What may have been done is left at that, as every caller must. */
async function publishSurely(broker: Broker, topic: string, envelope: Buffer): Promise<void> {
  await eventually(async () => (await outcomeOf(broker.publish(topic, envelope))) !== 'not_done');
}
