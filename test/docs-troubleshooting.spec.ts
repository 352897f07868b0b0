import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  clientEventDataTooLong,
  clientEventNameTooLong,
  PusherErrors,
  ReverbErrors,
  subscriptionRejected,
} from '@pogo/pusher-protocol';
import { describe, expect, it } from 'vitest';
import { ROOT } from './support/checkout.js';
import { isSetting, namesIn, tables } from './support/documentation.js';

const read = (path: string) => readFile(join(ROOT, path), 'utf8');
const page = () => read('docs/troubleshooting.md');

/** Words of the protocol and of the metrics that look like settings. */
const OTHER_NAMES = new Set([
  'auth_failures_total',
  'auth_version',
  'broker_unavailable',
  'client_dropped_messages_total',
  'client_max_body_size',
  'hub_unhealthy',
  'outbox_bytes',
  'socket_id',
  'user_id',
  'user_info',
]);

/** The rows of the tables that have these headings. */
async function rowsUnder(...headings: string[]): Promise<string[][]> {
  return tables(await page())
    .filter(([head]) => headings.every((heading, i) => head?.[i] === heading))
    .flatMap(([, ...rows]) => rows);
}

const errors = [
  ...Object.values(PusherErrors),
  ...Object.values(ReverbErrors),
  subscriptionRejected('{channel}'),
  // As the page has them, for any limit.
  ...[clientEventNameTooLong(0), clientEventDataTooLong(0)].map(({ code, message }) => ({
    code,
    message: message.replace('(0 bytes)', '(N bytes)'),
  })),
];

describe('docs/troubleshooting.md', () => {
  it.each(errors.map(({ code, message }) => [code, message] as const))(
    'says the cause of %i %s and what to turn',
    async (code, message) => {
      const rows = await rowsUnder('Code', 'Says', 'Cause', 'Turn');
      const found = rows.filter(([first, says]) => first === String(code) && says === message);
      expect(found).toHaveLength(1);
      expect(found[0]?.every((cell) => cell !== '')).toBe(true);
    },
  );

  it('has no code that the server does not know', async () => {
    const rows = await rowsUnder('Code', 'Says', 'Cause', 'Turn');
    const known = errors.map(({ code, message }) => `${code} ${message}`);
    expect(rows.map(([code, says]) => `${code} ${says}`).filter((row) => !known.includes(row))).toEqual([]);
  });

  it('says the cause of every HTTP status of the API and what to turn', async () => {
    const folder = 'apps/gateway/src/http';
    const names = (await readdir(join(ROOT, folder))).filter((name) => /^(?!.*\.spec).*\.ts$/.test(name));
    const sources = await Promise.all(names.map((name) => read(join(folder, name))));
    // Thrown, answered by the filter, and of a publish status.
    const used = sources.flatMap((text) =>
      [...text.matchAll(/ApiError\(([45]\d\d)|\[([45]\d\d), \{|^ {2}\[PublishStatus\.\w+\]: ([45]\d\d)/gm)].map(
        ([, thrown, answered, mapped]) => thrown ?? answered ?? mapped ?? '',
      ),
    );
    const rows = await rowsUnder('Status', 'Cause', 'Turn');
    const listed = new Set(rows.filter((row) => row.every((cell) => cell !== '')).map(([status]) => status));
    expect(new Set(used).size).toBeGreaterThan(8);
    expect([...new Set(used)].filter((status) => !listed.has(status))).toEqual([]);
  });

  it('names no setting that does not exist', async () => {
    const names = namesIn(await page());
    expect(names.length).toBeGreaterThan(100);
    expect(names.filter((name) => !isSetting(name) && !OTHER_NAMES.has(name))).toEqual([]);
  });

  it('names no command that does not exist', async () => {
    const folder = 'apps/gateway/src/cli';
    const names = (await readdir(join(ROOT, folder))).filter((name) => name.endsWith('.ts'));
    const sources = await Promise.all(names.map((name) => read(join(folder, name))));
    const commands = new Set(
      sources.flatMap((text) => [...text.matchAll(/\.command\('([\w:]+)'\)/g)].map(([, name]) => name)),
    );
    expect(commands.size).toBeGreaterThan(8);
    const pages = ['docs/troubleshooting.md', 'docs/migrating.md', 'docs/migrating-from-pogo.md', 'SECURITY.md'];
    const used = (await Promise.all(pages.map(read))).flatMap((text) =>
      [...text.matchAll(/(?:^ *|`)pogo ([a-z][\w:]*)(?: (check|print|channel|user)\b)?/gm)].flatMap(
        ([, command, part]) => (part === undefined ? [command] : [command, part]),
      ),
    );
    expect(used.length).toBeGreaterThan(10);
    expect(used.filter((name) => !commands.has(name))).toEqual([]);
  });

  it('names a setting or says that there is none, wherever something is to turn', async () => {
    const rows = await rowsUnder('Status', 'Cause', 'Turn');
    const turns = [...rows, ...(await rowsUnder('Code', 'Says', 'Cause', 'Turn'))].map((row) => row.at(-1) ?? '');
    const empty = turns.filter((turn) => !/^nothing\b|`\/ready`/.test(turn) && !/`[a-z_]+`/.test(turn));
    expect(empty).toEqual([]);
  });
});
