import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A real process in a session of its own, which all of its descendants belong to as well. */
export class Running {
  /** What it has printed so far, standard output and errors. */
  output = '';
  readonly ending: Promise<Ending>;
  private readonly child: ChildProcess;
  private readonly waiting = new Set<() => void>();
  private hasEnded = false;

  constructor(command: string, args: readonly string[], { cwd, env = {} }: RunOptions) {
    this.child = spawn(command, args, { cwd, env: { ...cleanEnvironment(), ...env }, detached: true });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.wake();
      });
    }
    this.ending = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      // `close` comes when the output is complete.
      this.child.on('close', (code, signal) => {
        this.hasEnded = true;
        this.wake();
        resolve({ code, signal });
      });
    });
  }

  /** Resolves to the match once the output has it. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match;
      if (this.hasEnded) throw new Error(`ended without printing ${String(pattern)}:\n${this.output}`);
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
  }

  /** Sends a signal to the process alone, as `kill PID` does. */
  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Sends a signal to everything in the process group, as a terminal does. */
  killGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal);
  }

  /** What a person types; the process runs under a pseudo terminal then. */
  type(text: string): void {
    this.child.stdin?.write(text);
  }

  /** Resolves when no process of the session is left; those that never end are for the test's time-out. */
  async gone(): Promise<void> {
    while (processesOfSession(this.pid).length > 0) await sleep(20);
  }

  /** Ends whatever is left, for the end of a test that has failed. */
  cleanUp(): void {
    for (const pid of processesOfSession(this.pid)) process.kill(pid, 'SIGKILL');
  }

  private get pid(): number {
    if (this.child.pid === undefined) throw new Error('the process did not start');
    return this.child.pid;
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}

/** This process's environment without what npm and vitest add to it, and without settings of a gateway. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const added = /^(npm_|POGO_|REVERB_|VITEST|NODE_ENV$|NODE_OPTIONS$|INIT_CWD$|FORCE_COLOR$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !added.test(name)));
}

/** Process ids of a session, from /proc. Zombies have ended already. */
function processesOfSession(session: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const [state, , , sid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return Number(sid) === session && state !== 'Z';
      } catch {
        return false;
      }
    });
}
