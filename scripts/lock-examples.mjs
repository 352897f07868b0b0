// `node scripts/lock-examples.mjs`: writes the lock files of the examples anew, when their dependencies or the package's
// have changed. The package itself stands in them as its version alone: each `npm pack` has another hash.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './lib/project.mjs';

const EXAMPLES = join(ROOT, 'examples');
const { name, version, license, type, engines, dependencies, optionalDependencies } = readJson(
  join(ROOT, 'package.json'),
);

const folder = mkdtempSync(join(tmpdir(), 'pogo-lock-'));
try {
  const tarball = packManifest();
  for (const entry of readdirSync(EXAMPLES)) {
    if (existsSync(join(EXAMPLES, entry, 'package.json'))) lock(entry, tarball);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** A lock file takes no more of a package than its manifest, so nothing needs to be built. */
function packManifest() {
  const manifest = { name, version, license, type, engines, dependencies, optionalDependencies };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  npm(folder, 'pack');
  return join(folder, `${name}-${version}.tgz`);
}

function lock(example, tarball) {
  const source = join(EXAMPLES, example);
  const copy = join(folder, example);
  mkdirSync(copy);
  for (const file of ['package.json', '.npmrc']) copyFileSync(join(source, file), join(copy, file));
  const isOnGateway = readJson(join(source, 'package.json')).dependencies[name] !== undefined;
  npm(copy, 'install', '--package-lock-only', ...(isOnGateway ? [tarball] : []));
  const locked = readJson(join(copy, 'package-lock.json'));
  if (isOnGateway) nameVersionAlone(locked);
  writeFileSync(join(source, 'package-lock.json'), `${JSON.stringify(locked, undefined, 2)}\n`);
}

function nameVersionAlone({ packages }) {
  packages[''].dependencies[name] = version;
  // JSON has no undefined: they are left out.
  Object.assign(packages[`node_modules/${name}`], { resolved: undefined, integrity: undefined });
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function npm(cwd, ...args) {
  execFileSync('npm', [...args, '--loglevel=error'], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}
