import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/load-config.js';
import { addApiCommands } from './api-commands.js';
import { addBenchCommand } from './bench-command.js';
import { addConfigCommands } from './config-commands.js';
import { CliError, ExitCode, type CliContext } from './context.js';
import { addDoctorCommand } from './doctor-command.js';
import { addLaravelCommand } from './laravel-command.js';
import { addSignCommands } from './sign-commands.js';
import { VERSION } from './version.js';

const EXAMPLES = `
Examples:
  pogo start --config pogo.yaml
  pogo config check
  pogo doctor https://ws.example.com --key shop-key --secret …
  pogo publish orders created '{"id":1}'
  pogo laravel:install

Commands that talk to a server take --url, --app-id, --key and --secret from POGO_WS_* or REVERB_* in the environment, or
in the file that --env-file names. Exit codes: 0 done, 1 it did not work, 2 wrong command line, 78 wrong configuration.
`;

/** Runs one command line. Never throws. @param args without the program. @returns the exit code. */
export async function run(args: readonly string[], context: CliContext): Promise<number> {
  const isJson = args.includes('--json');
  // Commander's own words for a wrong command line are in the document then.
  const output = { writeOut: context.out, writeErr: isJson ? () => undefined : context.err };
  const program = new Command('pogo')
    .description('Pogo Gateway: a WebSocket server that speaks the Pusher Channels protocol')
    .version(VERSION, '-V, --version')
    .showHelpAfterError('(--help says what there is)')
    .showSuggestionAfterError(true)
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .configureOutput(output);
  let exitCode: number = ExitCode.ok;
  const fails = (code: number) => (exitCode = code);
  addConfigCommands(program, context);
  addDoctorCommand(program, context, fails);
  addApiCommands(program, context);
  addSignCommands(program, context);
  addBenchCommand(program, context);
  addLaravelCommand(program, context);
  // Commands are made one by one: each would write and exit by itself otherwise.
  for (const command of everyCommand(program)) {
    command.exitOverride().configureOutput(output);
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    return failed(error, isJson, context);
  }
}

function everyCommand(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...everyCommand(child)]);
}

function failed(error: unknown, isJson: boolean, context: CliContext): number {
  if (error instanceof CommanderError) return misread(error, isJson, context);
  if (error instanceof ConfigError) {
    if (isJson) context.out(`${JSON.stringify({ ok: false, problems: error.problems }, undefined, 2)}\n`);
    else context.err(`${error.message}\n`);
    return ExitCode.config;
  }
  const message = error instanceof Error ? error.message : String(error);
  const details = error instanceof CliError ? error.details : {};
  if (isJson) context.out(`${JSON.stringify({ ok: false, error: message, ...details }, undefined, 2)}\n`);
  else context.err(`${message}\n`);
  return error instanceof CliError ? error.exitCode : ExitCode.failed;
}

/** The help that was asked for, or a command line that is wrong: Commander has written its message already. */
function misread({ message, exitCode }: CommanderError, isJson: boolean, context: CliContext): number {
  if (exitCode === 0) return ExitCode.ok;
  const error = message.replace(/^error: /, '');
  if (isJson) context.out(`${JSON.stringify({ ok: false, error }, undefined, 2)}\n`);
  return ExitCode.usage;
}
