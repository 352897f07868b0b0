import { readdirSync, readFileSync } from 'node:fs';
import { serverCore } from './cores.mjs';

const TICKS_PER_SECOND = 100;

/**
 * Starts to watch who else uses the server's core.
 * @param pids of the server's processes
 * @returns a function that tells the percentage since then
 */
export function watchOthers(pids) {
  const own = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const start = { at: performance.now(), busy: busySeconds(), own: own() };
  return () => {
    const seconds = (performance.now() - start.at) / 1_000;
    const others = busySeconds() - start.busy - (own() - start.own);
    return Math.max(0, (others / seconds) * 100);
  };
}

/** Time of all processes, of the kernel and of the hypervisor's other guests. */
function busySeconds() {
  const line = new RegExp(`^cpu${serverCore} (.+)$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))[1];
  const [user, nice, system, , , irq, softirq, steal] = line.split(' ').map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
}

/** What a process has used so far, all threads. */
export function cpuSeconds(pid) {
  const tasks = `/proc/${pid}/task`;
  const nanoseconds = readdirSync(tasks).map((task) =>
    Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, time) => sum + time, 0) / 1e9;
}
