import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureInstalled, requireNode, run } from '../../scripts/lib/project.mjs';
import { generatorCore, pinThisProcess } from './cores.mjs';
import { BENCH } from './paths.mjs';
import { redisProblem } from './redis.mjs';

/** The lock file of what was installed, for the next time. */
const INSTALLED = join(BENCH, 'node_modules', '.bench-lock.json');

/** Makes everything that a run needs. Ends the process with a sentence where that is not possible. */
export async function prepare({ build, scenarios }) {
  requireNode();
  if (process.platform !== 'linux') stop('The bench reads /proc and uses epoll and taskset: it needs Linux.');
  if (generatorCore === undefined) stop('The bench needs two cores: one for the server, one for the load generator.');
  const needsRedis = scenarios.some(({ contestants }) => contestants.some(({ redis }) => redis !== undefined));
  const problem = needsRedis ? redisProblem() : undefined;
  if (problem !== undefined) stop(problem);
  await ensureInstalled();
  await installBench();
  if (build) await orStop(run('npm', ['run', '--silent', 'build']), 'The gateway does not compile.');
  await makeLoadgen();
  try {
    pinThisProcess();
  } catch {
    stop("taskset is missing: it is in Debian's package util-linux.");
  }
}

async function installBench() {
  const lock = join(BENCH, 'package-lock.json');
  if (existsSync(INSTALLED) && readFileSync(INSTALLED).equals(readFileSync(lock))) return;
  process.stderr.write("Installing the bench's dependencies (npm ci --prefix bench) ...\n");
  await orStop(run('npm', ['ci', '--prefix', BENCH, '--loglevel=error']), 'npm ci has failed in bench/.');
  copyFileSync(lock, INSTALLED);
}

async function makeLoadgen() {
  const why = "The load generator was not built. It needs a C compiler, make and OpenSSL's headers:";
  const made = run('make', ['--silent', '-C', join(BENCH, 'loadgen')]).catch(() => 1);
  await orStop(made, `${why}\n  apt-get install gcc make libc6-dev libssl-dev`);
}

async function orStop(exitCode, sentence) {
  if ((await exitCode) !== 0) stop(sentence);
}

function stop(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

let certificate;

/** Paths of a self-signed certificate and its key, made when first asked for and gone when the process ends. */
export function selfSigned() {
  certificate ??= makeCertificate();
  return certificate;
}

function makeCertificate() {
  const folder = mkdtempSync(join(tmpdir(), 'pogo-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-days', '2'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  try {
    execFileSync('openssl', ['req', '-x509', ...kind, ...names, '-out', cert, '-keyout', key], { stdio: 'pipe' });
  } catch (error) {
    throw new Error(`no certificate for TLS (is Debian's package openssl installed?): ${error.message}`, {
      cause: error,
    });
  }
  return { cert, key };
}
