import type { Command } from 'commander';
import { CliError, ExitCode, print, type CliContext } from './context.js';
import { Doctor, type Finding } from './doctor.js';
import { targetOf, withTarget, type TargetOptions } from './target.js';

const MARKS: Readonly<Record<Finding['state'], string>> = {
  ok: 'ok     ',
  warning: 'warning',
  wrong: 'WRONG  ',
  skipped: 'skipped',
};

/** `doctor`: exit code 1 when something is wrong. @param fails sets the exit code. */
export function addDoctorCommand(program: Command, context: CliContext, fails: (code: number) => void): void {
  withTarget(program.command('doctor').description('connect as a client, publish, and say what is wrong'))
    .argument('[url]', 'of the server, as clients reach it')
    .option('--origin <origin>', 'try as a page of it would: https://shop.example')
    .action(async (url: string | undefined, options: TargetOptions & { origin?: string }) => {
      const report = (finding: Finding) => {
        if (options.json !== true)
          context.out(`${MARKS[finding.state]}  ${finding.check.padEnd(9)}  ${finding.sentence}\n`);
      };
      const target = targetOf(options, context, url ?? options.url);
      const origin = options.origin === undefined ? undefined : originOf(options.origin);
      const findings = await new Doctor(target, { origin, report }).examine();
      const isWell = findings.every(({ state }) => state === 'ok' || state === 'warning');
      print(context, options.json, { ok: isWell, url: target.base, findings }, () => '');
      if (!isWell) fails(ExitCode.failed);
    });
}

/** What a browser sends: of an address that was pasted, no path and no slash at its end. */
function originOf(text: string): string {
  if (text === 'null') return text;
  if (!/^[a-z][a-z\d+.-]*:\/\/[^/]/i.test(text) || !URL.canParse(text)) {
    throw new CliError(`${JSON.stringify(text)} is no origin: https://shop.example`, ExitCode.usage);
  }
  const { protocol, host } = new URL(text);
  return `${protocol}//${host}`;
}
