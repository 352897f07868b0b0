/**
 * The part of a test runner that the contract suites need: pass `{ describe, it, afterEach }` of Vitest, Jest, Mocha
 * or `node:test`. Assertions come from `node:assert`.
 */
export interface TestApi {
  readonly describe: (title: string, body: () => void) => unknown;
  readonly it: (title: string, body: () => Promise<void>) => unknown;
  readonly afterEach: (body: () => Promise<void>) => unknown;
}

/** What one test works on; `close` frees whatever the implementation holds. */
export interface Harness {
  close(): Promise<void>;
}

/** Runs `test` with a new harness and closes it afterwards, whatever happened. */
export function eachWith<H extends Harness>(api: TestApi, create: () => Promise<H> | H) {
  const open = new Set<H>();
  api.afterEach(async () => {
    for (const harness of open) await harness.close();
    open.clear();
  });
  return (title: string, test: (harness: H) => Promise<void>) =>
    api.it(title, async () => {
      const harness = await create();
      open.add(harness);
      await test(harness);
    });
}

/** Resolves when `isTrue` is: looks again each time the event loop has gone round. The runner's time-out ends it. */
export async function eventually(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 1));
}
