import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './support/checkout.js';

/** A claim about this server, with the test that shows it, and words of that test. */
const PROOF = /\[([^\]]+)\]\(\.\.\/(test\/[^\s)]+) ["']([^"']+)["']\)/;

const page = () => readFile(join(ROOT, 'docs/comparison.md'), 'utf8');

/** What each row says of this server. */
async function claims(): Promise<{ feature: string; claim: string }[]> {
  const rows = (await page()).split('\n').filter((line) => /^\| [A-Z`]/.test(line) && !line.startsWith('| Feature'));
  return rows.map((row) => {
    const [, feature = '', claim = ''] = row.split('|').map((cell) => cell.trim());
    return { feature, claim };
  });
}

describe('docs/comparison.md', () => {
  it('claims nothing that no test of this repository shows', async () => {
    const all = await claims();
    expect(all.length).toBeGreaterThan(25);
    for (const { feature, claim } of all) {
      const [, , path, words = ''] = PROOF.exec(claim) ?? [];
      if (path === undefined) {
        expect([feature, claim]).toEqual([feature, expect.stringMatching(/^(not yet|no|Node 20 and later)$/)]);
        continue;
      }
      const text = await readFile(join(ROOT, path), 'utf8');
      const titles = [...text.matchAll(/(?:\b(?:it|describe)\b[^'`"]*?|^\s+)(['`"])(.*?)\1/gms)].map(
        ([, , title]) => title,
      );
      expect([feature, path, titles.some((title) => title?.includes(words))]).toEqual([feature, path, true]);
    }
  });

  it('names a source that it lists for every claim about others that has one', async () => {
    const [tables = '', sources = ''] = (await page()).split('## Sources');
    const used = new Set([...tables.matchAll(/\[([PRSK]\d)\]/g)].map(([, name = '']) => name));
    expect(used.size).toBeGreaterThan(15);
    const listed = (name: string) => new RegExp(`\\b${name}\\b`).test(sources);
    expect([...used].filter((name) => !listed(name))).toEqual([]);
  });
});
