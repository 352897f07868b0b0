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
    testTimeout: 20_000,
    hookTimeout: 30_000,
    retry: 0,
    // What is done once for all files of a run goes by this: test/support/build.ts.
    env: { POGO_TEST_RUN: randomUUID() },
  },
});
