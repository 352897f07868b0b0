import { closeSync, openSync } from 'node:fs';

/**
 * SIGHUP has two meanings: "read your files again", and "your terminal was closed", of which a server that somebody
 * started by hand ends. Call it at start; the function it returns tells, after a SIGHUP, whether it was the second.
 */
export function watchTerminal(): () => boolean {
  // Windows has the signal for the second meaning only.
  if (process.platform === 'win32') return () => true;
  // A server under nohup keeps the terminal but prints elsewhere, and is meant to stay.
  const hadTerminal = process.stdout.isTTY === true && hasTerminal();
  return () => hadTerminal && !hasTerminal();
}

/** Whether this process has a controlling terminal. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
