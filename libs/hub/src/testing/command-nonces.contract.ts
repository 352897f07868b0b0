import assert from 'node:assert/strict';
import type { CommandNonces } from '../commands/command-nonces.js';
import { eachWith, type Harness, type TestApi } from './test-api.js';

export interface CommandNoncesHarness extends Harness {
  /** Two nodes' views of one store. */
  readonly nodes: readonly [CommandNonces, CommandNonces];
  /** Lets `ms` pass on the store's clock. */
  advance(ms: number): Promise<void> | void;
}

const LONG_MS = 60_000;
const SHORT_MS = 200;

/** What every {@link CommandNonces} must do. */
export function commandNoncesContract(
  api: TestApi,
  name: string,
  create: () => Promise<CommandNoncesHarness> | CommandNoncesHarness,
): void {
  api.describe(`CommandNonces contract: ${name}`, () => {
    const test = eachWith(api, create);

    test('gives a nonce to the first who asks, whichever node that is', async ({ nodes }) => {
      assert.equal(await nodes[0].claim('nonce', LONG_MS), true);
      assert.equal(await nodes[1].claim('nonce', LONG_MS), false);
      assert.equal(await nodes[0].claim('nonce', LONG_MS), false);
    });

    test('keeps nonces apart', async ({ nodes }) => {
      const names = ['__proto__', 'nonce', 'Nonce', 'constructor'];
      for (const nonce of names) assert.equal(await nodes[0].claim(nonce, LONG_MS), true);
      for (const nonce of names) assert.equal(await nodes[1].claim(nonce, LONG_MS), false);
    });

    test('gives each out once when all are asked at the same time', async ({ nodes }) => {
      const nonces = Array.from({ length: 20 }, (_, n) => `nonce-${n}`);
      const asked = nonces.flatMap((nonce) => nodes.map((node) => node.claim(nonce, LONG_MS)));
      assert.equal((await Promise.all(asked)).filter(Boolean).length, nonces.length);
    });

    test('keeps each for as long as was asked, while others are forgotten', async ({ nodes, advance }) => {
      assert.equal(await nodes[0].claim('long', LONG_MS), true);
      for (let round = 0; round < 4; round++) {
        assert.equal(await nodes[0].claim(`short-${round}`, SHORT_MS), true);
        await advance(SHORT_MS + 50);
        assert.equal(await nodes[1].claim('long', LONG_MS), false);
      }
    });
  });
}
