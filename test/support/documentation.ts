import { APP_KEYS, WEBHOOK_KEYS } from '../../apps/gateway/src/config/app-entries.js';
import { SETTING_KEYS } from '../../apps/gateway/src/config/settings.js';

const KEYS: ReadonlySet<string> = new Set([...SETTING_KEYS, ...APP_KEYS, ...WEBHOOK_KEYS, 'config']);

/** Whether there is a setting, a key of an app or of a webhook of that name; `config` names the file. */
export const isSetting = (name: string): boolean => KEYS.has(name);

/** What a page of the documentation has between backticks and looks like a setting, in the order of the page. */
export function namesIn(page: string): string[] {
  const prose = page.replaceAll(/^```.*?^```$/gms, '');
  return [...prose.matchAll(/`(?:POGO_WS_([A-Z][A-Z0-9_]*)|([a-z][a-z0-9]*(?:_[a-z0-9]+)+))(?:=[^`]*)?`/g)].map(
    ([, variable, name = '']) => variable?.toLowerCase() ?? name,
  );
}

/** The tables of a page: rows of cells, the headings first. A `\|` is part of a cell. */
export function tables(page: string): string[][][] {
  return [...page.matchAll(/(?:^\|.*\n?)+/gm)].map(([table]) =>
    table
      .trimEnd()
      .split('\n')
      .filter((line) => !/^\|[-: |]+$/.test(line))
      .map((line) =>
        line
          .split(/(?<!\\)\|/)
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
  );
}
