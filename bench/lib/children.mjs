import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Lines of a child's stderr that are kept to explain its end. */
const KEPT_LINES = 12;

const alive = new Set();

// Whatever ends this process takes along what it started.
process.on('exit', () => {
  for (const child of alive) child.process.kill('SIGKILL');
});
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.on(signal, () => process.exit(code));
}

/** A process that this one started, with the last lines that it wrote to stderr. */
export class Child {
  hasEnded = false;
  #stderr = [];

  /** `ipc`: with a channel for messages. `stdio`: of stdin and stdout. */
  constructor([command, args], { env = process.env, stdio = ['ignore', 'ignore'], ipc = false, cwd } = {}) {
    this.process = spawn(command, args, { cwd, env, stdio: [...stdio, 'pipe', ...(ipc ? ['ipc'] : [])] });
    this.process.stderr.setEncoding('utf8').on('data', (text) => {
      this.#stderr = [...this.#stderr, ...text.split('\n').filter((line) => line !== '')].slice(-KEPT_LINES);
    });
    alive.add(this);
    /** Resolves, with the reason, when the process has ended or could not be started. */
    this.ended = new Promise((resolve) => {
      this.process.on('error', ({ message }) => resolve(message));
      this.process.on('exit', (code, signal) => resolve(`ended with ${signal ?? `code ${code}`}`));
    });
    void this.ended.then(() => {
      this.hasEnded = true;
      alive.delete(this);
    });
  }

  get pid() {
    return this.process.pid;
  }

  /** The end of `work`, or an error as soon as the process ends or `seconds` have passed. */
  async during(what, work, seconds) {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), seconds * 1_000);
    const failed = (reason) => {
      throw new Error([`${what}: ${reason}`, ...this.#stderr].join('\n    '));
    };
    try {
      return await Promise.race([
        work,
        this.ended.then(failed),
        once(late.signal, 'abort').then(() => failed(`no answer within ${seconds} s`)),
      ]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What was measured is measured: nothing is left to be done in order. */
  async kill() {
    this.process.kill('SIGKILL');
    await this.ended;
  }
}
