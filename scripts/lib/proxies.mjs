import { relative, resolve } from 'node:path';
import { findBinary, installPackage } from './debian.mjs';
import { ROOT } from './project.mjs';

const PROXY_TEST = 'test/proxies.spec.ts';
/** Binary → Debian's package. */
const PROXIES = { nginx: 'nginx-light', haproxy: 'haproxy', caddy: 'caddy' };

/**
 * Finds the proxies that docs/proxy.md has configurations for, and installs Debian's where there are none.
 * @param args what vitest is given: nothing is done for a run without that test.
 * @returns what the test needs in its environment: where they are. It skips those that cannot be had.
 */
export async function ensureProxies(args) {
  if (!(await runsProxyTest(args))) return {};
  const found = {};
  for (const [name, packageName] of Object.entries(PROXIES)) {
    const variable = `POGO_TEST_${name.toUpperCase()}`;
    if (process.env[variable] === undefined && findBinary(name) === undefined) await installPackage(packageName);
    const path = process.env[variable] ?? findBinary(name);
    if (path !== undefined) found[variable] = path;
  }
  return found;
}

/** By vitest's own rule: a filter is a part of a path, and without one everything runs. */
async function runsProxyTest(args) {
  // It is there only now, after the installation.
  const { parseCLI } = await import('vitest/node');
  const { filter } = parseCLI(['vitest', 'run', ...args], { allowUnknownOptions: true });
  const parts = filter.map((each) => relative(ROOT, resolve(ROOT, each.replace(/:\d+$/, ''))).toLowerCase());
  return parts.length === 0 || parts.some((part) => PROXY_TEST.includes(part));
}
