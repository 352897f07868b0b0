import type { Command } from 'commander';
import { ExitCode, print, type CliContext } from './context.js';
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
      const findings = await new Doctor(target, { origin: options.origin, report }).examine();
      const isWell = findings.every(({ state }) => state === 'ok' || state === 'warning');
      print(context, options.json, { ok: isWell, url: target.base, findings }, () => '');
      if (!isWell) fails(ExitCode.failed);
    });
}
