import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { generatorCore, serverCore } from './cores.mjs';
import { BENCH } from './paths.mjs';
import { redisVersion } from './redis.mjs';

const ROOT = join(BENCH, '..');

/** The machine and the versions, as they are written beside every result. */
export function describeEnvironment() {
  const [cpu] = cpus();
  return {
    cpu: cpu.model.trim(),
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
    openssl: process.versions.openssl,
    pogo: versionIn(ROOT),
    soketi: versionIn(join(BENCH, 'node_modules', '@soketi', 'soketi')),
    uWebSockets: versionIn(join(BENCH, 'node_modules', 'uWebSockets.js')),
    redis: redisVersion(),
    serverCore,
    generatorCore,
    commit: commit(),
  };
}

function versionIn(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
}

/** With a plus sign where files were changed since. */
function commit() {
  const git = (...args) => execFileSync('git', ['-C', ROOT, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();
  try {
    const sources = ['apps', 'libs', 'package-lock.json'];
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', ...sources) === '' ? '' : '+');
  } catch {
    return 'unknown';
  }
}
