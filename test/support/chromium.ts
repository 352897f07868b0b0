import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

/** Where Debian's package puts it. */
const DEBIAN = '/usr/bin/chromium';
/** On a machine whose cores are busy with other tests. */
export const CHROMIUM_TIMEOUT_MS = 120_000;

/** A headless Chromium: what scripts/test.mjs has found, or where vitest runs by itself Debian's. */
export function launchChromium(): Promise<Browser> {
  const { POGO_TEST_CHROMIUM_PROBLEM: problem, POGO_TEST_CHROMIUM: found = DEBIAN } = process.env;
  if (problem !== undefined) throw new Error(problem);
  if (!existsSync(found)) throw new Error(`there is no ${found}: \`npm test\` installs it where it can.`);
  // Chromium's own sandbox does not work for root, nor in most containers; it opens nothing but our own page.
  return chromium.launch({ executablePath: found, chromiumSandbox: false, timeout: CHROMIUM_TIMEOUT_MS });
}
