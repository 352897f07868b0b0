import { findBinary, installPackage } from './debian.mjs';
import { runsOneOf } from './chosen-tests.mjs';

const TESTS = ['test/proxies.spec.ts', 'test/cluster/drain.spec.ts'];

/** Binary → Debian's package with it. */
const PACKAGES = { nginx: 'nginx-light', haproxy: 'haproxy', caddy: 'caddy' };

/**
 * Finds nginx, HAProxy and Caddy for the tests of docs/proxy.md, and installs Debian's where there are none.
 * @param args what vitest is given: nothing is done for a run without these tests.
 * @returns what the tests need in their environment. Those of a proxy that cannot be had are skipped, and say so.
 */
export async function ensureProxies(args) {
  if (!(await runsOneOf(TESTS, args))) return {};
  const found = {};
  for (const [name, packageName] of Object.entries(PACKAGES)) {
    if (findBinary(name) === undefined && findSystemBinary(name) === undefined) await installPackage(packageName);
    const path = findBinary(name) ?? findSystemBinary(name);
    if (path !== undefined) found[`POGO_TEST_${name.toUpperCase()}`] = path;
  }
  return found;
}

/** Servers stand in sbin, which is not on everybody's path. */
function findSystemBinary(name) {
  return findBinary(`../sbin/${name}`);
}
