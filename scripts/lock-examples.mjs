// `node scripts/lock-examples.mjs`: writes the lock files of the examples anew, after their dependencies or the
// package's have changed. The package itself stands in them as its version alone: each `npm pack` has another hash.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './lib/project.mjs';

const EXAMPLES = join(ROOT, 'examples');
const { name, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

const folder = mkdtempSync(join(tmpdir(), 'pogo-lock-'));
try {
  npm(ROOT, 'pack', '--pack-destination', folder);
  const tarball = join(folder, `${name}-${version}.tgz`);
  const examples = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const example of examples) lock(join(EXAMPLES, example.name), tarball);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function lock(example, tarball) {
  for (const file of ['package.json', '.npmrc']) copyFileSync(join(example, file), join(folder, file));
  rmSync(join(folder, 'package-lock.json'), { force: true });
  npm(folder, 'install', '--package-lock-only', tarball);
  const locked = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
  locked.packages[''].dependencies[name] = version;
  for (const field of ['resolved', 'integrity']) delete locked.packages[`node_modules/${name}`][field];
  writeFileSync(join(example, 'package-lock.json'), `${JSON.stringify(locked, undefined, 2)}\n`);
}

function npm(cwd, ...args) {
  execFileSync('npm', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}
