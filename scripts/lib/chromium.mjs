import { relative, resolve } from 'node:path';
import { findBinary, installPackage, printedVersion } from './debian.mjs';
import { ROOT } from './project.mjs';

const BROWSER_TEST = 'test/browser/chat.spec.ts';

/**
 * Finds a Chromium for the test in the browser, and installs Debian's if there is none.
 * @param args what vitest is given: nothing is done for a run without that test.
 * @returns what the test needs in its environment: where it is, or the sentence that it fails with.
 */
export async function ensureChromium(args) {
  if (!(await runsBrowserTest(args))) return {};
  const found = process.env.POGO_TEST_CHROMIUM ?? findChromium();
  if (found === undefined) await installPackage('chromium');
  const path = found ?? findChromium();
  const problem = path === undefined ? 'Chromium is not installed' : problemOf(path);
  if (problem === undefined) return { POGO_TEST_CHROMIUM: path };
  const sentence =
    `${problem}, and ${BROWSER_TEST} needs it: install it (Debian: apt-get install chromium), ` +
    `or name its binary in POGO_TEST_CHROMIUM.`;
  process.stderr.write(`${sentence}\n`);
  return { POGO_TEST_CHROMIUM_PROBLEM: sentence };
}

const findChromium = () => findBinary('chromium', 'google-chrome');

/** By vitest's own rule: a filter is a part of a path, and without one everything runs. */
async function runsBrowserTest(args) {
  // It is there only now, after the installation.
  const { parseCLI } = await import('vitest/node');
  const { filter } = parseCLI(['vitest', 'run', ...args], { allowUnknownOptions: true });
  const parts = filter.map((each) => relative(ROOT, resolve(ROOT, each.replace(/:\d+$/, ''))).toLowerCase());
  return parts.length === 0 || parts.some((part) => BROWSER_TEST.includes(part));
}

/** Undefined when the binary is a Chromium that runs. */
function problemOf(path) {
  try {
    return /\bChrom(e|ium)\b/.test(printedVersion(path)) ? undefined : `${path} is no Chromium`;
  } catch (error) {
    return `${path} does not run (${error.message.split('\n', 1)[0]})`;
  }
}
