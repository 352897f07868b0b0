import { startEnvironment } from '../config/load-config.js';
import { ExitCode } from './context.js';
import { run } from './program.js';

process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  // Whoever reads may have enough, as `head` has: nothing is wrong then, but nobody is there to go on for either.
  if (code !== 'EPIPE') process.stderr.write(`the output cannot be written (${code})\n`);
  process.exit(ExitCode.failed);
});
process.stderr.on('error', () => undefined);
process.exitCode = await run(process.argv.slice(2), {
  environment: startEnvironment(),
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  readInput: async () => {
    let text = '';
    for await (const chunk of process.stdin.setEncoding('utf8')) text += String(chunk);
    return text;
  },
});
