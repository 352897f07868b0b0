import { runsOneOf } from './chosen-tests.mjs';
import { findBinary, installPackage, printedVersion } from './debian.mjs';

const BROWSER_TEST = 'test/browser/chat.spec.ts';

/**
 * Finds a Chromium for the test in the browser, and installs Debian's if there is none.
 * @param args what vitest is given: nothing is done for a run without that test.
 * @returns what the test needs in its environment: where it is, or the sentence that it fails with.
 */
export async function ensureChromium(args) {
  if (!(await runsOneOf([BROWSER_TEST], args))) return {};
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

/** Undefined when the binary is a Chromium that runs. */
function problemOf(path) {
  try {
    return /\bChrom(e|ium)\b/.test(printedVersion(path)) ? undefined : `${path} is no Chromium`;
  } catch (error) {
    return `${path} does not run (${error.message.split('\n', 1)[0]})`;
  }
}
