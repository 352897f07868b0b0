import assert from 'node:assert/strict';
import { askAgain } from '../ask-again.js';
import type { CommandBus, Command } from '../broker/command-bus.js';
import type { ConnectionDirectory } from '../directory/connection-directory.js';
import type { RateLimitStore } from '../rate-limit/rate-limit-store.js';
import { eachWith, eventually, type Harness, type TestApi } from './test-api.js';

const never = () => false;

export interface CommandBusHarness extends Harness {
  readonly nodes: readonly [CommandBus, CommandBus];
}

/** What every {@link CommandBus} must do. */
export function commandBusContract(
  api: TestApi,
  name: string,
  create: () => Promise<CommandBusHarness> | CommandBusHarness,
): void {
  api.describe(`CommandBus contract: ${name}`, () => {
    eachWith(api, create)('brings a command to every node, the sender included', async ({ nodes }) => {
      const heard: Command[][] = [[], []];
      nodes.forEach((node, i) => node.listen((command) => heard[i]?.push(command)));
      const command = { type: 'terminate_user', appId: 'app', userId: '__proto__ ü' } as const;
      await askAgain(() => nodes[0].send(command), never);
      await eventually(() => heard.every((commands) => commands.length > 0));
      for (const commands of heard) for (const received of commands) assert.deepEqual(received, command);
    });
  });
}

export interface ConnectionDirectoryHarness extends Harness {
  readonly nodes: readonly [ConnectionDirectory, ConnectionDirectory];
}

/** What every {@link ConnectionDirectory} must do. */
export function connectionDirectoryContract(
  api: TestApi,
  name: string,
  create: () => Promise<ConnectionDirectoryHarness> | ConnectionDirectoryHarness,
): void {
  api.describe(`ConnectionDirectory contract: ${name}`, () => {
    const test = eachWith(api, create);

    test('sums what the nodes reported last, per app', async ({ nodes }) => {
      nodes[0].report('app', 5);
      nodes[0].report('app', 3);
      nodes[1].report('app', 4);
      nodes[1].report('other', 1);
      await eventually(async () => (await nodes[1].count('app')) === 7);
      await eventually(async () => (await nodes[0].count('other')) === 1);
      assert.equal(await nodes[0].count('unknown'), 0);
    });

    test('forgets a node’s connections when it reports none', async ({ nodes }) => {
      nodes[0].report('app', 2);
      await eventually(async () => (await nodes[1].count('app')) === 2);
      nodes[0].report('app', 0);
      await eventually(async () => (await nodes[1].count('app')) === 0);
    });
  });
}

export interface RateLimitStoreHarness extends Harness {
  readonly store: RateLimitStore;
  /** Lets `ms` pass on the store's clock. */
  advance(ms: number): Promise<void> | void;
}

/** What every {@link RateLimitStore} must do. Calls that fail are not asked again: a lost answer has cost its token. */
export function rateLimitStoreContract(
  api: TestApi,
  name: string,
  create: () => Promise<RateLimitStoreHarness> | RateLimitStoreHarness,
): void {
  api.describe(`RateLimitStore contract: ${name}`, () => {
    const test = eachWith(api, create);
    const rate = { perSecond: 10, burst: 3 };
    /** For where time must not count: not every store's clock stands still while a busy machine does something else. */
    const slow = { perSecond: 0.01, burst: 3 };

    test('allows the burst, refuses the next and says when to come back', async ({ store }) => {
      const remaining: number[] = [];
      for (let i = 0; i < 3; i++) remaining.push((await store.take('bucket', slow)).remaining);
      assert.deepEqual(remaining, [2, 1, 0]);
      const refused = await store.take('bucket', slow);
      assert.equal(refused.allowed, false);
      assert.ok(refused.retryAfterMs > 0 && refused.retryAfterMs <= 100_000);
    });

    test('refills with time and never above the burst', async ({ store, advance }) => {
      for (let i = 0; i < 3; i++) await store.take('bucket', rate);
      await advance(100);
      assert.equal((await store.take('bucket', rate)).allowed, true);
      await advance(60_000);
      assert.equal((await store.take('bucket', rate)).remaining, 2);
    });

    test('keeps buckets apart', async ({ store }) => {
      for (let i = 0; i < 4; i++) await store.take('__proto__', rate);
      assert.equal((await store.take('other', rate)).allowed, true);
    });

    test('gives out each token once when asked at the same time', async ({ store }) => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => store.take('bucket', slow)));
      assert.equal(answers.filter(({ allowed }) => allowed).length, 3);
    });
  });
}
