// Loaded before the server by `nest start` (nest-cli.json). npx runs the Nest CLI under a shell, and a shell such as
// dash dies of SIGTERM without handing it on, which would leave the CLI and the server behind. So under npx the server
// ends as if it had got the signal when that shell is gone.
import { readFileSync } from 'node:fs';

const CHECK_MS = 200;

if (process.env.npm_command === 'exec') {
  const cli = process.ppid;
  const shell = parentOf(cli);
  if (shell !== undefined) {
    const timer = setInterval(() => {
      if (parentOf(cli) === shell) return;
      clearInterval(timer);
      process.kill(process.pid, 'SIGTERM');
    }, CHECK_MS).unref();
  }
}

/** Undefined where there is no /proc; the shells of those systems hand over to the command. */
function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
  } catch {
    return undefined;
  }
}
