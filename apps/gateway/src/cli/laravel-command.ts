import type { Command } from 'commander';
import { CliError, print, type CliContext } from './context.js';
import { installLaravel, LaravelInstallError, type LaravelInstallResult } from './laravel/install.js';

interface Options {
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly host?: string;
  readonly port?: string;
  readonly scheme?: 'http' | 'https';
  readonly json?: boolean;
}

/** `laravel:install`. */
export function addLaravelCommand(program: Command, context: CliContext): void {
  program
    .command('laravel:install')
    .description('set up broadcasting through this server in a Laravel application, 11 to 13')
    .argument('[dir]', 'the application', '.')
    .option('--host <host>', 'where browsers and Laravel find the server (localhost)')
    .option('--port <port>', 'and on which port (8080)')
    .option('--scheme <scheme>', 'http or https (http)')
    .option('--force', 'a new key and secret, a new echo.js, and the address that is given, even where there are some')
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--json', 'print JSON')
    .action(async (dir: string, { force, dryRun, host, port, scheme, json }: Options) => {
      try {
        const result = await installLaravel({
          dir,
          force: force === true,
          dryRun: dryRun === true,
          ...(host === undefined ? {} : { host }),
          ...(port === undefined ? {} : { port: Number(port) }),
          ...(scheme === undefined ? {} : { scheme }),
        });
        print(context, json, result, () => text(result, dryRun === true));
      } catch (error) {
        if (error instanceof LaravelInstallError) throw new CliError(error.message);
        throw error;
      }
    });
}

function text({ laravel, changes, nextSteps, warnings }: LaravelInstallResult, isDryRun: boolean): string {
  const lines = changes.map(({ path, action, diff, note }) => {
    const what = `${action.padEnd(9)} ${path}${note === undefined ? '' : `  (${note})`}`;
    return isDryRun && diff !== '' ? `${what}\n${diff}` : what;
  });
  return [
    `Laravel ${laravel}${isDryRun ? ': nothing is changed, this is what would be' : ''}`,
    ...lines,
    ...warnings.map((warning) => `! ${warning}`),
    ...(nextSteps.length === 0 ? [] : ['', 'Next:', ...nextSteps.map((step) => `  ${step}`)]),
  ].join('\n');
}
