#!/usr/bin/env node
import { startEnvironment } from '../config/load-config.js';
import { run } from './program.js';

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
