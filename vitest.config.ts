import { randomUUID } from 'node:crypto';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Nest's injector needs `design:paramtypes`, which only legacy decorators with metadata emit.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: { tsconfigPaths: true },
  test: {
    include: ['libs/**/*.spec.ts', 'apps/**/*.spec.ts', 'test/**/*.spec.ts'],
    pool: 'forks',
    // Two cores: more workers only make real sockets wait for each other.
    maxWorkers: 2,
    // These tell what hangs from what answers, also on a machine that does something else for ten seconds.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 15_000, interval: 20 } },
    retry: 0,
    // What is done once for all files of a run goes by this: test/support/build.ts.
    env: { POGO_TEST_RUN: randomUUID() },
  },
});
