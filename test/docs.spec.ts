import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { PublishStatus } from '@pogo/hub';
import * as testing from '@pogo/hub/testing';
import {
  clientEventDataTooLong,
  clientEventNameTooLong,
  PusherErrors,
  ReverbErrors,
  subscriptionRejected,
} from '@pogo/pusher-protocol';
import { describe, expect, it } from 'vitest';
import { ROOT } from './support/checkout.js';
import { configurationPage } from './support/configuration-page.js';

const read = (path: string) => readFile(join(ROOT, path), 'utf8');

/** Files below `folder` whose name ends so. */
async function files(folder: string, ending: string): Promise<string[]> {
  const entries = await readdir(join(ROOT, folder), { recursive: true });
  return entries.filter((path) => path.endsWith(ending)).map((path) => join(folder, path));
}

/** The cells of all table rows of a page. */
function rows(page: string): string[][] {
  return page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    );
}

describe('docs/configuration.md', () => {
  it('says what settings.ts says (`npm run docs` writes it)', async () => {
    await expect(configurationPage()).toMatchFileSnapshot('../docs/configuration.md');
  });
});

describe('docs/errors.md', () => {
  const errors = [
    ...Object.values(PusherErrors),
    ...Object.values(ReverbErrors),
    subscriptionRejected('{channel}'),
    { ...clientEventNameTooLong(0), message: 'Client event rejected: the event name exceeds the allowed maximum' },
    { ...clientEventDataTooLong(0), message: 'Client event rejected: the data exceeds the allowed maximum' },
  ];

  it.each(errors.map(({ code, message }) => [code, message] as const))('explains %i %s', async (code, message) => {
    const found = rows(await read('docs/errors.md')).filter(([first, second]) => {
      return first === String(code) && second?.includes(message);
    });
    expect(found).toHaveLength(1);
    expect(found[0]?.every((cell) => cell !== '')).toBe(true);
  });

  it('has no code that the server does not know', async () => {
    const known = new Set(errors.map(({ code }) => String(code)));
    const listed = rows(await read('docs/errors.md')).flatMap(([first = '']) =>
      /^4\d{3}$/.test(first) ? [first] : [],
    );
    expect(listed.filter((code) => !known.has(code))).toEqual([]);
  });

  it.each(['AuthError', 'InvalidChannel', 'LimitReached', 'AuthTimeout'])(
    'explains subscription error %s',
    async (type) => {
      expect(rows(await read('docs/errors.md')).filter(([first]) => first === `\`${type}\``)).toHaveLength(1);
    },
  );

  it.each(Object.entries(PublishStatus))('explains publish status %s', async (name, status) => {
    const found = rows(await read('docs/errors.md')).filter(([first, second]) => {
      return first === String(status) && second === `\`${name}\``;
    });
    expect(found).toHaveLength(1);
  });

  it('explains every HTTP status that the API answers', async () => {
    const sources = await Promise.all((await files('apps/gateway/src/http', '.ts')).map(read));
    const used = new Set(
      sources.flatMap((text) => [...text.matchAll(/ApiError\((\d{3})|\[(\d{3}), \{/g)].map((m) => m[1] ?? m[2])),
    );
    const listed = new Set(rows(await read('docs/errors.md')).map(([first]) => first));
    expect(used.size).toBeGreaterThan(5);
    expect([...used].filter((status) => !listed.has(status))).toEqual([]);
  });
});

describe('docs/extending.md', () => {
  /** Everything between fences, with the comment above it if there is one. */
  const BLOCK = /(?:^<!-- (\S+) -->\n\n)?^```(\w*)\n(.*?)^```$/gms;

  async function blocks(): Promise<{ path: string | undefined; language: string; code: string }[]> {
    const page = await read('docs/extending.md');
    return [...page.matchAll(BLOCK)].map(([, path, language = '', code = '']) => ({ path, language, code }));
  }

  it('shows no TypeScript but what stands in a file of the examples, which are compiled and run', async () => {
    const shown = (await blocks()).filter(({ language }) => language !== 'sh');
    expect(shown.length).toBeGreaterThan(15);
    for (const { path, language, code } of shown) {
      expect([code, language, path]).toEqual([code, 'ts', expect.stringMatching(/^examples\/[^.]+\.[\w.]*ts$/)]);
      const file = `\n${await read(path as string)}`;
      // The page has them without the indentation that they have there.
      const indented = ['', '  ', '    ', '      ', '        '].map((indent) => code.replace(/^(?=.)/gm, indent));
      expect([path, code, indented.some((text) => file.includes(`\n${text}`))]).toEqual([path, code, true]);
    }
  });

  it('lists every contract suite and every hub event', async () => {
    const page = await read('docs/extending.md');
    const suites = Object.keys(testing).filter((name) => name.endsWith('Contract'));
    expect(suites.length).toBeGreaterThan(5);
    expect(suites.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
    const source = await read('libs/hub/src/hub-events.ts');
    const map = source.slice(source.indexOf('HubEventMap {'), source.indexOf('\n}'));
    const events = [...map.matchAll(/^ {2}(\w+): \{/gm)].map(([, name = '']) => name);
    expect(events.length).toBeGreaterThan(15);
    expect(events.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});

const ROOT_PAGES = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];

/** The anchors of a page's headings, as GitHub makes them. */
function anchors(page: string): Set<string> {
  const headings = page.replaceAll(/^```.*?^```$/gms, '').matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, title = '']) => {
      const text = title.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '');
      return text.replaceAll(' ', '-');
    }),
  );
}

describe('the documentation', () => {
  it('has no link to a heading that does not exist', async () => {
    const broken: string[] = [];
    for (const page of [...ROOT_PAGES, ...(await files('docs', '.md'))]) {
      const links = (await read(page)).matchAll(/\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)/g);
      for (const [, target = '', anchor = ''] of links) {
        const path = target === '' ? page : join(dirname(page), target);
        if (!anchors(await read(path)).has(anchor)) broken.push(`${page}: ${target}#${anchor}`);
      }
    }
    expect(broken).toEqual([]);
  });

  it('has no link to a file that does not exist', async () => {
    const examples = (await files('examples', 'README.md')).filter((path) => !path.includes('node_modules'));
    const pages = [...ROOT_PAGES, ...(await files('docs', '.md')), ...examples];
    const broken: string[] = [];
    for (const page of pages) {
      for (const [, target = ''] of (await read(page)).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
        const path = relative(ROOT, join(ROOT, dirname(page), target));
        await readdir(join(ROOT, dirname(path))).then(
          (names) => names.includes(path.split('/').at(-1) ?? '') || broken.push(`${page}: ${target}`),
          () => broken.push(`${page}: ${target}`),
        );
      }
    }
    expect(broken).toEqual([]);
  });

  it('lists every page in docs/README.md', async () => {
    const index = await read('docs/README.md');
    const pages = (await readdir(join(ROOT, 'docs'))).filter((name) => name.endsWith('.md') && name !== 'README.md');
    expect(pages.filter((name) => !index.includes(`(${name})`))).toEqual([]);
  });
});
