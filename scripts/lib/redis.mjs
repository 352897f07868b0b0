import { findBinary, installPackage, printedVersion } from './debian.mjs';

const OLDEST = 7;

/**
 * Finds a redis-server for the tests, and installs Debian's if there is none.
 * @returns what the tests need in their environment: where it is, or the sentence that those that need it fail with.
 */
export async function ensureRedis() {
  const found = process.env.POGO_TEST_REDIS_SERVER ?? findBinary('redis-server');
  if (found === undefined) await installPackage('redis-server');
  const path = found ?? findBinary('redis-server');
  const problem = path === undefined ? 'redis-server is not installed' : problemOf(path);
  if (problem === undefined) return { POGO_TEST_REDIS_SERVER: path };
  const sentence =
    `${problem}, and the tests of the cluster need Redis ${OLDEST} or newer: install it ` +
    `(Debian: apt-get install redis-server), or name its binary in POGO_TEST_REDIS_SERVER.`;
  process.stderr.write(`${sentence}\n`);
  return { POGO_TEST_REDIS_PROBLEM: sentence };
}

/** Undefined when the binary is what the tests need. */
function problemOf(path) {
  try {
    const [, version] = /\bv=(\d+\.\S+)/.exec(printedVersion(path)) ?? [];
    if (version === undefined) return `${path} does not say which version it is`;
    return Number.parseInt(version, 10) >= OLDEST ? undefined : `${path} is Redis ${version}`;
  } catch (error) {
    return `${path} does not run (${error.message.split('\n', 1)[0]})`;
  }
}
