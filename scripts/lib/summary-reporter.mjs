import { writeFileSync } from 'node:fs';

/**
 * A vitest reporter that writes what `npm test` counts, as JSON, to the file named by POGO_TEST_SUMMARY. vitest's own
 * JSON leaves out why a test was skipped, and failures of hooks and stray errors outside tests.
 */
export default class SummaryReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()].map((test) => testOf(module, test)));
    const errors = [
      ...modules.flatMap((module) =>
        [module, ...module.children.allSuites()].flatMap((part) => errorsOf(module, part)),
      ),
      ...unhandledErrors.map((error) => `outside any test: ${firstLine(error.message)}`),
    ];
    writeFileSync(process.env.POGO_TEST_SUMMARY, JSON.stringify({ tests, errors }));
  }
}

function testOf(module, test) {
  const { state, note } = test.result();
  const isTodo = test.options.mode === 'todo';
  return { name: `${module.relativeModuleId}: ${test.fullName}`, state, note: note ?? (isTodo ? 'to do' : undefined) };
}

/** A file that cannot be loaded, or a hook that fails: their tests do not run, so they are no failures themselves. */
function errorsOf(module, part) {
  const name = part === module ? module.relativeModuleId : `${module.relativeModuleId}: ${part.fullName}`;
  return part.errors().map((error) => `${name}: ${firstLine(error.message)}`);
}

function firstLine(message) {
  return String(message ?? '').split('\n', 1)[0] || 'no message';
}
