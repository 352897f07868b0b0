import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { CHART } from './helm.js';

type Values = Readonly<Record<string, unknown>>;

/** Names of the files below ci/. */
export const CI_FILES = readdirSync(join(CHART, 'ci')).sort();

export function chartFile(path: string): string {
  return readFileSync(join(CHART, path), 'utf8');
}

/** Every file of the chart, by its path in it. */
export function chartFiles(): ReadonlyMap<string, string> {
  const entries = readdirSync(CHART, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [path.slice(CHART.length + 1), readFileSync(path, 'utf8')]));
}

export function valuesOf(path: string): Values {
  return parse(chartFile(path)) as Values;
}

/** Paths of all values, `a.b.c`, those of maps before those of what is in them. */
export function pathsOf(values: unknown, prefix = ''): string[] {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return [];
  return Object.entries(values).flatMap(([key, value]) => [`${prefix}${key}`, ...pathsOf(value, `${prefix}${key}.`)]);
}

const SECRET_NAME = /^(secret|password|authorization|\w+(Secret|Password))$/i;
/** They name a Secret. */
const NO_SECRETS: ReadonlySet<string> = new Set(['existingSecret']);

/** Every secret that stands in values: of apps, Redis, webhooks and their headers. */
export function secretsIn(values: unknown): string[] {
  if (typeof values !== 'object' || values === null) return [];
  return Object.entries(values).flatMap(([key, value]) => {
    if (typeof value !== 'string') return secretsIn(value);
    if (key === 'url' && URL.canParse(value)) return [new URL(value).password].filter((password) => password !== '');
    return SECRET_NAME.test(key) && !NO_SECRETS.has(key) ? [value] : [];
  });
}

/** Every text in an object, names of fields included. */
export function textsOf(object: unknown): string[] {
  if (typeof object === 'string') return [object];
  if (typeof object !== 'object' || object === null) return [];
  return Object.entries(object).flatMap(([key, value]) => [key, ...textsOf(value)]);
}
