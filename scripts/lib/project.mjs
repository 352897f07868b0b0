import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const LOCK = join(ROOT, 'package-lock.json');
/** npm's own record of what it has installed. */
const INSTALLED_LOCK = join(ROOT, 'node_modules', '.package-lock.json');

/** Ends the process with one sentence when Node is older than package.json's `engines` asks for. */
export function requireNode() {
  const { engines } = readJson(join(ROOT, 'package.json'));
  const wanted = numbers(engines.node);
  const have = numbers(process.versions.node);
  const difference = wanted.map((number, i) => (have[i] ?? 0) - number).find((d) => d !== 0) ?? 0;
  if (difference >= 0) return;
  process.stderr.write(
    `Pogo Gateway needs Node ${wanted.join('.')} or newer; this is Node ${process.versions.node}.\n`,
  );
  process.exit(1);
}

/** Runs `npm ci` unless node_modules is what package-lock.json says. */
export async function ensureInstalled() {
  if (isInstalled()) return;
  process.stderr.write('Installing dependencies (npm ci) ...\n');
  // Building and testing need the development tools, also where NODE_ENV=production is set.
  const code = await run(...npm('ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'));
  if (code === 0) return;
  process.stderr.write('npm ci has failed, so nothing was started.\n');
  process.exit(code);
}

/** True when every package of package-lock.json is installed in its version. Optional ones may be absent. */
export function isInstalled() {
  if (!existsSync(INSTALLED_LOCK)) return false;
  const wanted = readJson(LOCK).packages;
  const have = readJson(INSTALLED_LOCK).packages;
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    const installed = have[path];
    if (path === '') return true;
    if (installed === undefined) return optional === true;
    return installed.version === version && installed.integrity === integrity;
  });
}

/** Path of a file that an installed package ships. */
export function inPackages(...path) {
  return join(ROOT, 'node_modules', ...path);
}

/**
 * Runs a command in the project's folder and resolves to its exit code. Signals are handed on, and this process stays
 * until the command has ended, so that nothing is left behind. Once it has run a command a script must end by
 * `process.exit`: one Ctrl-C is several signals (the terminal's and the one that npm hands on), and those that come
 * after the command's end must not kill the script on its way to report the exit code.
 */
export function run(command, args, { env = process.env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, env, stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? 128 + (SIGNAL_NUMBERS[signal] ?? 0)));
  });
}

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** The npm that runs this script, or else the one on the path. */
function npm(...args) {
  const script = process.env.npm_execpath;
  if (script?.endsWith('.js')) return [process.execPath, [script, ...args]];
  return process.platform === 'win32' ? ['cmd', ['/c', 'npm', ...args]] : ['npm', args];
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** "20.19" of ">=20.19" and of "20.19.4", as numbers. */
function numbers(version) {
  return version.replace(/^\D+/, '').split('.').map(Number);
}
