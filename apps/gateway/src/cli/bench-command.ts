import type { Command } from 'commander';
import { ApiClient } from './api-client.js';
import { CliError, ExitCode, print, type CliContext } from './context.js';
import { Load, type LoadResult } from './load.js';
import { targetOf, withTarget, type TargetOptions } from './target.js';

interface Options extends TargetOptions {
  readonly connections: string;
  readonly channels: string;
  readonly rate: string;
  readonly seconds: string;
  readonly bytes: string;
  readonly remote?: boolean;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** `bench`: a load that is bounded in count and time. */
export function addBenchCommand(program: Command, context: CliContext): void {
  withTarget(program.command('bench').description('connect clients, publish, and measure how long events take'))
    .argument('[url]')
    .option('--connections <n>', 'clients, 1 to 20000', '100')
    .option('--channels <n>', 'channels that they are spread over', '1')
    .option('--rate <n>', 'events per second in all, 1 to 10000', '10')
    .option('--seconds <n>', 'how long to publish, 1 to 600', '10')
    .option('--bytes <n>', 'size of an event, 64 to 100000', '200')
    .option('--remote', 'the server is not this machine, and is mine')
    .action(async (url: string | undefined, options: Options) => {
      const target = targetOf(options, context, url ?? options.url);
      if (options.remote !== true && !LOOPBACK.test(new URL(target.base).hostname)) {
        throw new CliError(`${target.base} is not this machine: --remote, if it is yours`, ExitCode.usage);
      }
      const plan = {
        connections: whole('--connections', options.connections, 1, 20_000),
        channels: whole('--channels', options.channels, 1, 20_000),
        rate: whole('--rate', options.rate, 1, 10_000),
        seconds: whole('--seconds', options.seconds, 1, 600),
        bytes: whole('--bytes', options.bytes, 64, 100_000),
      };
      const progress = (text: string) => context.err(`${text}\n`);
      const result = await new Load(target, new ApiClient(target), plan, progress).run();
      print(context, options.json, result, () => text(result));
    });
}

function whole(name: string, value: string, least: number, most: number): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new CliError(`${name} must be a whole number from ${least} to ${most}`, ExitCode.usage);
}

function text({ connected, connectSeconds, published, refused, expected, delivered, latencyMs }: LoadResult): string {
  const lost = expected === 0 ? '0' : (((expected - delivered) / expected) * 100).toFixed(2);
  return [
    `connections  ${connected} in ${connectSeconds.toFixed(1)} s`,
    `published    ${published}${refused === 0 ? '' : `, and ${refused} refused`}`,
    `delivered    ${delivered} of ${expected} (${lost} % missing)`,
    `latency      p50 ${latencyMs.p50.toFixed(1)} ms, p99 ${latencyMs.p99.toFixed(1)} ms, longest ${latencyMs.max.toFixed(1)} ms`,
  ].join('\n');
}
