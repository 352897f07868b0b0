import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Child } from './children.mjs';
import { generatorCore, pinned } from './cores.mjs';
import { BENCH } from './paths.mjs';

/** Replaced when the orchestrator itself is tested. */
const BINARY = process.env.POGO_BENCH_LOADGEN ?? join(BENCH, 'loadgen', 'build', 'loadgen');

/** Of one command, over the time that the command itself asks for. */
const PATIENCE_SECONDS = 60;

/** The load generator: one process, one command at a time (loadgen/PROTOCOL.md). */
export class Loadgen {
  /** Every command with its answer. */
  log = [];
  #child = new Child(pinned(generatorCore, BINARY, []), { stdio: ['pipe', 'pipe'] });
  #lines = createInterface({ input: this.#child.process.stdout });

  constructor() {
    // A write to a generator that has died is reported by its end.
    this.#child.process.stdin.on('error', () => undefined);
  }

  /** Sends one command and resolves to its answer; throws when the generator refuses it or ends. */
  async send(verb, parameters = {}) {
    const words = Object.entries(parameters)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${value}`);
    const command = [verb, ...words].join(' ');
    const { seconds = 0, warmup = 0, drain = 0 } = parameters;
    const line = once(this.#lines, 'line');
    this.#child.process.stdin.write(`${command}\n`);
    const [text] = await this.#child.during(`loadgen ${verb}`, line, seconds + warmup + drain + PATIENCE_SECONDS);
    const answer = JSON.parse(text);
    this.log.push({ command, answer });
    if (!answer.ok) throw new Error(`loadgen ${verb}: ${answer.error}`);
    return answer;
  }

  async stop() {
    await this.#child.kill();
  }
}
