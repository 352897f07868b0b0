// `npm run test:node`: the tests over real sockets and those of the cluster under other releases of Node than the one that is
// installed here. `npm run test:node -- 24` runs one; what follows another `--` reaches vitest instead of the two folders.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { run } from './lib/project.mjs';

/** The releases, exactly: packages of npm ship their binaries. */
const RELEASES = { 22: '22.23.3', 24: '24.21.0' };
const FOLDERS = ['test/e2e', 'test/cluster'];

const separator = process.argv.indexOf('--');
const chosen = process.argv.slice(2, separator < 0 ? undefined : separator);
const tests = separator < 0 ? FOLDERS : process.argv.slice(separator + 1);
let failed = 0;
for (const major of chosen.length > 0 ? chosen : Object.keys(RELEASES)) {
  const bin = install(major);
  process.stdout.write(`\n== Node ${execFileSync(join(bin, 'node'), ['--version'], { encoding: 'utf8' }).trim()} ==\n`);
  // First on the path, so that what tests start by name is the same.
  const POGO_TEST_TITLE = `Node ${RELEASES[major]}: `;
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`, POGO_TEST_TITLE };
  failed += (await run(join(bin, 'node'), ['scripts/test.mjs', ...tests], { env })) === 0 ? 0 : 1;
}
process.exit(failed === 0 ? 0 : 1);

/** The folder with the binary, which is kept for the next time. */
function install(major) {
  const version = RELEASES[major];
  if (version === undefined) {
    process.stderr.write(`Node ${major} is none of ${Object.keys(RELEASES).join(', ')}\n`);
    process.exit(2);
  }
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'pogo-gateway');
  const folder = join(cache, `node-${version}`);
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const bin = join(folder, 'node_modules', name, 'bin');
  if (existsSync(join(bin, 'node'))) return bin;
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  const options = ['--prefix', unfinished, '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['install', ...options, `${name}@${version}`], { stdio: 'inherit' });
  rmSync(folder, { recursive: true, force: true });
  renameSync(unfinished, folder);
  return bin;
}
