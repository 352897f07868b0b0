import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PusherErrors, ReverbErrors } from '@pogo/pusher-protocol';
import { describe, expect, it } from 'vitest';
import { run } from '../apps/gateway/src/cli/program.js';
import { APP_KEYS } from '../apps/gateway/src/config/app-entries.js';
import { SETTING_KEYS } from '../apps/gateway/src/config/settings.js';
import { ROOT } from './support/checkout.js';

const read = (path: string) => readFile(join(ROOT, path), 'utf8');

function rows(page: string): string[][] {
  const lines = page.split('\n').filter((line) => line.startsWith('|'));
  return lines.map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
}

const firsts = async (page: string) => new Set(rows(await read(page)).map(([first]) => first ?? ''));

describe('docs/troubleshooting.md', () => {
  it('has every close code, and no other', async () => {
    const listed = [...(await firsts('docs/troubleshooting.md'))].filter((first) => /^4\d{3}$/.test(first));
    const known = [...Object.values(PusherErrors), ...Object.values(ReverbErrors)].map(({ code }) => String(code));
    expect(listed.sort()).toEqual([...new Set(known)].sort());
  });

  it('has every HTTP status of docs/errors.md, and no other', async () => {
    const statuses = (set: ReadonlySet<string>) => [...set].filter((first) => /^[45]\d\d$/.test(first)).sort();
    expect(statuses(await firsts('docs/troubleshooting.md'))).toEqual(statuses(await firsts('docs/errors.md')));
  });
});

describe('The pages for people who move here or look for a mistake', () => {
  /** What is written like a setting and is none: fields of others' files and words of clients. */
  const OTHERS =
    /^(?:SOKETI|REVERB|VITE|REDIS|POGO|BROADCAST|APP)_|^_|_\*$|^fanout_|^proxy_|^client_max_body_size$|^auth_script$|^app_id$/;

  it.each(['troubleshooting', 'migrating', 'migrating-from-pogo'])(
    'name settings that exist: docs/%s.md',
    async (name) => {
      const page = await read(`docs/${name}.md`);
      const known = new Set<string>([...SETTING_KEYS, ...APP_KEYS, 'outbox_bytes']);
      // The last column is what is to be turned here.
      const cells = rows(page).map((row) => row.at(-1) ?? '');
      const named = cells.flatMap((cell) => [...cell.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(([, key = '']) => key));
      expect(named.length).toBeGreaterThan(10);
      expect(named.filter((key) => !known.has(key) && !OTHERS.test(key))).toEqual([]);
      const variables = [...page.matchAll(/POGO_WS_([A-Z_]+[A-Z])/g)].map(([, key = '']) => key.toLowerCase());
      expect(variables.filter((key) => !known.has(key))).toEqual([]);
    },
  );
});

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

describe('docs/README.md', () => {
  it('leads to every page', async () => {
    const index = await read('docs/README.md');
    const pages = (await readdir(join(ROOT, 'docs'))).filter((name) => name.endsWith('.md') && name !== 'README.md');
    expect(pages.filter((name) => !index.includes(`](${name}`))).toEqual([]);
  });
});
