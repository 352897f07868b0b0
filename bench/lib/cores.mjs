import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The core of the server under load, and the one of the generator and of this process. */
export const { serverCore, generatorCore } = chooseCores();

/** The command that runs `command` on one core. */
export function pinned(core, command, args) {
  return ['taskset', ['--cpu-list', String(core), command, ...args]];
}

/** Keeps this process, which is idle while something is measured, away from the server's core. */
export function pinThisProcess() {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(generatorCore), String(process.pid)]);
}

/** The first two cores that this process may use. */
function chooseCores() {
  const list = /^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1];
  const cores = list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return { serverCore: cores[0], generatorCore: cores[1] };
}
