import { readdirSync, readFileSync } from 'node:fs';
import { serverCore } from './cores.mjs';

const TICKS_PER_SECOND = 100;

/**
 * Starts to watch who else uses the server's core.
 * @param pid of the server
 * @returns a function that tells the percentage since then
 */
export function watchOthers(pid) {
  const start = { at: performance.now(), busy: busySeconds(), own: cpuSeconds(pid) };
  return () => {
    const seconds = (performance.now() - start.at) / 1_000;
    const others = busySeconds() - start.busy - (cpuSeconds(pid) - start.own);
    return Math.max(0, (others / seconds) * 100);
  };
}

/** Time of all processes, of the kernel and of the hypervisor's other guests. */
function busySeconds() {
  const line = new RegExp(`^cpu${serverCore} (.+)$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))[1];
  const [user, nice, system, , , irq, softirq, steal] = line.split(' ').map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
}

function cpuSeconds(pid) {
  const tasks = `/proc/${pid}/task`;
  const nanoseconds = readdirSync(tasks).map((task) =>
    Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, time) => sum + time, 0) / 1e9;
}
