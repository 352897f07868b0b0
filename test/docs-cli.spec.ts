import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../apps/gateway/src/cli/program.js';
import { ROOT } from './support/checkout.js';

const read = (path: string) => readFile(join(ROOT, path), 'utf8');

describe('docs/cli.md', () => {
  it('has a row for every command', async () => {
    let help = '';
    const nothing = () => undefined;
    await run(['--help'], {
      environment: {},
      out: (text) => (help += text),
      err: nothing,
      readInput: () => Promise.resolve(''),
    });
    const commands = [...help.matchAll(/^ {2}([a-z]+(?::[a-z]+)?)\b/gm)]
      .map(([, name = '']) => name)
      .filter((name) => name !== 'help' && name !== 'pogo');
    expect(commands).toContain('laravel:install');
    const page = await read('docs/cli.md');
    expect(commands.filter((name) => !page.includes(`\`pogo ${name}`))).toEqual([]);
  });
});
