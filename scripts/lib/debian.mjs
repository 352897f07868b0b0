import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './project.mjs';

/** Where packages put binaries, should the path not have these folders. */
const USUAL_FOLDERS = ['/usr/local/bin', '/usr/bin'];
/** What a binary may take to say its version, on a machine whose cores are busy. */
const VERSION_TIMEOUT_MS = 30_000;
/** A mirror that does not answer, or a line so slow that nobody would wait for it. */
const INSTALL_TIMEOUT_SECONDS = 900;

/*
 * A package may start a service, which nobody has asked for: as long as it is being installed, a policy forbids that
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
patience="-o DPkg::Lock::Timeout=120 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30"
install() { apt-get install -y -qq --no-install-recommends $patience "$1" >/dev/null; }
install "$1" || { apt-get update -qq $patience || :; install "$1"; }
`;

/** Path of the first of these binaries that is on the path or where packages put them. */
export function findBinary(...names) {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''), ...USUAL_FOLDERS];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}

/** What a binary prints with --version; throws when it does not run. */
export function printedVersion(path) {
  return execFileSync(path, ['--version'], { encoding: 'utf8', stdio: 'pipe', timeout: VERSION_TIMEOUT_MS });
}

/** Installs a package of Debian's. Says nothing when it fails: who needs the binary will not find it. */
export async function installPackage(name) {
  if (findBinary('apt-get') === undefined) return;
  const shell = [findBinary('sh') ?? '/bin/sh', '-c', INSTALL, 'sh', name];
  const bounded = [findBinary('timeout') ?? 'timeout', '--kill-after=30', String(INSTALL_TIMEOUT_SECONDS), ...shell];
  const [command, ...args] = process.getuid() === 0 ? bounded : [findBinary('sudo'), '-n', ...bounded];
  if (command === undefined) return;
  process.stderr.write(`Installing ${name} for the tests (apt-get) ...\n`);
  await run(command, args);
}
