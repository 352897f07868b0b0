import { execFileSync } from 'node:child_process';
import { runsOneOf } from './chosen-tests.mjs';
import { findBinary, installPackage } from './debian.mjs';

const TESTS = ['test/laravel-package.spec.ts', 'test/laravel-echo-example.spec.ts'];
const VERSION_TIMEOUT_MS = 30_000;

/**
 * Finds PHP with curl, and PHPUnit, for the test of packages/laravel, and installs Debian's where there are none.
 * @param args what vitest is given: nothing is done for a run without that test.
 * @returns what the test needs in its environment; without it the test is skipped, and says so.
 */
export async function ensurePhp(args) {
  if (!(await runsOneOf(TESTS, args))) return {};
  if (!isComplete()) for (const name of ['php-cli', 'php-curl', 'phpunit']) await installPackage(name);
  return isComplete() ? { POGO_TEST_PHP: findBinary('php'), POGO_TEST_PHPUNIT: findBinary('phpunit') } : {};
}

function isComplete() {
  const php = findBinary('php');
  if (php === undefined || findBinary('phpunit') === undefined) return false;
  try {
    const check = 'exit(PHP_VERSION_ID >= 80200 && extension_loaded("curl") ? 0 : 1);';
    execFileSync(php, ['-r', check], { stdio: 'ignore', timeout: VERSION_TIMEOUT_MS });
    return true;
  } catch {
    return false;
  }
}
