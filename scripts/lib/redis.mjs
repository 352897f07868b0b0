import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './project.mjs';

const OLDEST = 7;
/** Where packages put it, should the path not have them. */
const USUAL_FOLDERS = ['/usr/local/bin', '/usr/bin'];

/*
 * Debian's package starts a service, which nobody has asked for: as long as it is being installed, a policy forbids that
 * (policy-rc.d is what dpkg's scripts ask). A policy that is there already is left alone. dpkg wants the sbin folders.
 */
const INSTALL = `
set -e
export DEBIAN_FRONTEND=noninteractive PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' HUP INT TERM
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
fi
install() { apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 redis-server; }
install || { apt-get update -qq || :; install; }
`;

/**
 * Finds a redis-server for the tests, and installs Debian's if there is none.
 * @returns what the tests need in their environment: where it is, or the sentence that those that need it fail with.
 */
export async function ensureRedis() {
  const found = process.env.POGO_TEST_REDIS_SERVER ?? find();
  if (found === undefined) await install();
  const path = found ?? find();
  const problem = path === undefined ? 'redis-server is not installed' : problemOf(path);
  if (problem === undefined) return { POGO_TEST_REDIS_SERVER: path };
  const sentence =
    `${problem}, and the tests of the cluster need Redis ${OLDEST} or newer: install it ` +
    `(Debian: apt-get install redis-server), or name its binary in POGO_TEST_REDIS_SERVER.`;
  process.stderr.write(`${sentence}\n`);
  return { POGO_TEST_REDIS_PROBLEM: sentence };
}

function find(name = 'redis-server') {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''), ...USUAL_FOLDERS];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Undefined when the binary is what the tests need. */
function problemOf(path) {
  try {
    const printed = execFileSync(path, ['--version'], { encoding: 'utf8' });
    const [, version] = /\bv=(\d+\.\S+)/.exec(printed) ?? [];
    if (version === undefined) return `${path} does not say which version it is`;
    return Number.parseInt(version, 10) >= OLDEST ? undefined : `${path} is Redis ${version}`;
  } catch (error) {
    return `${path} does not run (${error.message.split('\n', 1)[0]})`;
  }
}

/** Says nothing when it fails: who needs the binary will not find it. */
async function install() {
  if (find('apt-get') === undefined) return;
  const shell = [find('sh') ?? '/bin/sh', '-c', INSTALL];
  const [command, ...args] = process.getuid() === 0 ? shell : [find('sudo'), '-n', ...shell];
  if (command === undefined) return;
  process.stderr.write('Installing redis-server for the tests (apt-get) ...\n');
  await run(command, args);
}
