import type { Environment } from '../config/load-config.js';

/** What a command has of the process that it runs in. */
export interface CliContext {
  readonly environment: Environment;
  /** Standard output: results only. */
  readonly out: (text: string) => void;
  /** Standard error: progress and what went wrong. */
  readonly err: (text: string) => void;
  /** All of standard input. */
  readonly readInput: () => Promise<string>;
}

/** Exit codes: 0 done, 1 it did not work, 2 the command line is wrong, 78 (sysexits.h) the configuration is. */
export const ExitCode = { ok: 0, failed: 1, usage: 2, config: 78 } as const;

/** Ends a command: one sentence that says what is wrong and what to do. */
export class CliError extends Error {
  constructor(
    message: string,
    readonly exitCode: number = ExitCode.failed,
    /** For `--json`. */
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = 'CliError';
  }
}

/** What every command prints: text for people, or one JSON document. */
export function print(context: CliContext, isJson: boolean | undefined, value: unknown, text: () => string): void {
  const lines = isJson === true ? JSON.stringify(value, undefined, 2) : text();
  if (lines !== '') context.out(`${lines}\n`);
}
