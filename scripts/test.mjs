// `npm test`: installs if needed, Redis, Chromium, PHP, Helm and three proxies for the tests included, runs every test, and ends with the counts
// alone on the last line.
// Arguments reach vitest: `npm test -- test/e2e` runs one folder.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureChromium } from './lib/chromium.mjs';
import { ensureHelm } from './lib/helm.mjs';
import { ensureInstalled, inPackages, requireNode, ROOT, run } from './lib/project.mjs';
import { ensurePhp } from './lib/php.mjs';
import { ensureProxies } from './lib/proxies.mjs';
import { ensureRedis } from './lib/redis.mjs';

requireNode();
await ensureInstalled();
const args = process.argv.slice(2);
const tools = {
  ...(await ensureRedis()),
  ...(await ensureChromium(args)),
  ...(await ensureProxies(args)),
  ...(await ensureHelm(args)),
  ...(await ensurePhp(args)),
};

const folder = mkdtempSync(join(tmpdir(), 'pogo-test-'));
const summary = join(folder, 'summary.json');
const reporters = ['--reporter=default', `--reporter=${join(ROOT, 'scripts', 'lib', 'summary-reporter.mjs')}`];
const vitest = [inPackages('vitest', 'vitest.mjs'), 'run', ...reporters, ...args];
const code = await run(process.execPath, vitest, { env: { ...process.env, ...tools, POGO_TEST_SUMMARY: summary } });
const { tests, errors } = read(summary);
rmSync(folder, { recursive: true, force: true });

const inState = (state) => tests.filter((test) => test.state === state);
const passed = inState('passed').length;
const failed = inState('failed').length + errors.length;
// Tests behind a failed hook never ran: they count as skipped, their hook as failed.
const skipped = tests.filter(({ state }) => state !== 'passed' && state !== 'failed');

const lines = [];
if (errors.length > 0) lines.push('Failed outside a test:', ...errors.map((error) => `  ${error}`));
if (skipped.length > 0) {
  lines.push('Skipped:', ...skipped.map(({ name, note }) => `  ${name} (${note ?? 'no reason given'})`));
}
// Alone on a line is only what the release of Node that is installed says.
lines.push(
  `${process.env.POGO_TEST_TITLE ?? ''}${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`,
);
process.stdout.write(`${lines.join('\n')}\n`, () => {
  process.exit(code !== 0 ? code : failed > 0 || passed === 0 ? 1 : 0);
});

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { tests: [], errors: ['vitest ended without a report'] };
  }
}
