import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { APP_KEYS, WEBHOOK_KEYS } from '../apps/gateway/src/config/app-entries.js';
import { SECRET_KEYS, SETTING_KEYS } from '../apps/gateway/src/config/settings.js';
import { chartFile, chartFiles, pathsOf, valuesOf } from './support/chart.js';
import { ROOT } from './support/checkout.js';

interface Schema {
  readonly properties: Readonly<Record<string, Schema>>;
  readonly definitions: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly required?: readonly string[];
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly $ref?: string;
}

/** Settings that the chart writes from other values, so that they are not allowed in `config.settings`. */
const SET_BY_CHART: ReadonlySet<string> = new Set([
  ...['host', 'port', 'path_prefix', 'trusted_proxies', 'shutdown_timeout', 'tls_cert', 'tls_key'],
  ...['metrics_host', 'metrics_port', 'hot_path_metrics', 'app_id', 'app_key'],
  ...SETTING_KEYS.filter((key) => key.startsWith('redis_')),
  ...SECRET_KEYS,
]);

const schema = JSON.parse(chartFile('values.schema.json')) as Schema;

/** The values that the table of the chart's README explains. */
function explained(): string[] {
  const rows = chartFile('README.md').matchAll(/^\| `([A-Za-z.]+)` +\|/gm);
  return [...rows].map(([, value = '']) => value);
}

describe('the chart, as it is written', () => {
  it('mentions no setting that there is not', () => {
    const known = new Set(['POGO_WS_CONFIG', ...SETTING_KEYS.map((key) => `POGO_WS_${key.toUpperCase()}`)]);
    const named = [...chartFiles()].flatMap(([path, text]) =>
      // `POGO_WS_*` is all of them.
      (text.match(/POGO_WS_[A-Z0-9_]+/g) ?? []).map((name) => [path, name] as const),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(([, name]) => !known.has(name))).toEqual([]);
  });

  it('takes in config.settings every setting that it does not set itself, and no secret', () => {
    const allowed = schema.properties['config']?.properties['settings'];
    expect(allowed?.additionalProperties).toBe(false);
    expect(Object.keys(allowed?.properties ?? {}).sort()).toEqual(
      SETTING_KEYS.filter((key) => !SET_BY_CHART.has(key)).sort(),
    );
  });

  it('takes in config.apps what the gateway takes there', () => {
    const { app, webhook } = schema.definitions;
    expect(Object.keys(app?.properties ?? {}).sort()).toEqual([...APP_KEYS].sort());
    expect(Object.keys(webhook?.properties ?? {}).sort()).toEqual([...WEBHOOK_KEYS].sort());
  });

  it('explains every value in its README, and none that there is not', () => {
    const values = pathsOf(valuesOf('values.yaml'));
    const rows = new Set(explained());
    // A map is explained by itself, or by all that is in it.
    const isExplained = (path: string): boolean =>
      path.split('.').some((_, i, parts) => rows.has(parts.slice(0, i + 1).join('.'))) ||
      values.some((other) => other.startsWith(`${path}.`));
    expect(values.length).toBeGreaterThan(60);
    expect(values.filter((path) => !isExplained(path))).toEqual([]);
    expect([...rows].filter((path) => !values.includes(path))).toEqual([]);
  });

  it('has a schema for every value, and no value that the schema alone knows', () => {
    const inSchema = ({ properties, $ref }: Schema, prefix = ''): string[] => {
      const own = properties ?? schema.definitions[$ref?.split('/').at(-1) ?? '']?.properties ?? {};
      return Object.entries(own).flatMap(([key, value]) => [`${prefix}${key}`, ...inSchema(value, `${prefix}${key}.`)]);
    };
    const known = inSchema(schema).filter((path) => path !== 'global' && !path.startsWith('config.settings.'));
    const values = pathsOf(valuesOf('values.yaml'));
    expect(known.filter((path) => !values.includes(path))).toEqual([]);
    // What Kubernetes defines is checked by Kubernetes.
    const isOpen = (path: string) => !known.some((other) => other.startsWith(`${path.replace(/\.[^.]+$/, '')}.`));
    expect(values.filter((path) => !known.includes(path) && !isOpen(path))).toEqual([]);
  });

  it('cannot be rendered without a value that has to be there: null takes one away', () => {
    // Probes are left out then; settings have no defaults here.
    const mayBeNull = /^(\w+Probe|config\.settings)$/;
    const needed = (object: Schema, values: object, prefix = ''): string[] =>
      Object.entries(values).flatMap(([key, value]: [string, unknown]) => {
        const { $ref, ...own } = object.properties[key] ?? { properties: {}, definitions: {} };
        const schemaOf = $ref === undefined ? own : (schema.definitions[$ref.split('/').at(-1) ?? ''] as Schema);
        const isMap = typeof value === 'object' && value !== null && Object.keys(schemaOf.properties ?? {}).length > 0;
        const isText = typeof value === 'string' && value !== '' && !(schemaOf.enum ?? []).includes('');
        const isNumber = typeof value === 'number' && ![schemaOf.type].flat().includes('null');
        const isMissed = (isMap || isText || isNumber) && !mayBeNull.test(`${prefix}${key}`);
        const below = isMap ? needed(schemaOf, value, `${prefix}${key}.`) : [];
        return isMissed && !(object.required ?? []).includes(key) ? [`${prefix}${key}`, ...below] : below;
      });
    expect(needed(schema, valuesOf('values.yaml'))).toEqual([]);
  });

  it('is of the release that it installs', () => {
    const { appVersion } = parse(chartFile('Chart.yaml')) as { appVersion: string };
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(appVersion).toBe(version);
  });

  it('has no secret in its default values', () => {
    const { app, redis, ...values } = valuesOf('values.yaml') as Record<string, Record<string, unknown>>;
    const empty = [app?.['key'], app?.['secret'], redis?.['url'], redis?.['password'], redis?.['sentinelPassword']];
    expect([...empty, values['commandSecret'], values['webhookSecret']]).toEqual(Array(7).fill(''));
  });
});
