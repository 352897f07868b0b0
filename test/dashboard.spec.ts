import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { METRICS, PREFIX } from '../apps/gateway/src/metrics/definitions.js';
import { ROOT } from './support/checkout.js';

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly description?: string;
    readonly targets?: readonly { readonly expr: string }[];
    readonly gridPos: { readonly x: number; readonly w: number };
  }[];
  readonly templating: { readonly list: readonly { readonly query: string | { readonly query: string } }[] };
}

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly annotations: { readonly description: string };
    }[];
  }[];
}

const read = (path: string) => readFile(join(ROOT, path), 'utf8');
/** What Prometheus itself adds to every series. */
const SCRAPE_LABELS = ['job', 'instance', 'le'];

/** Every name that is exported, with its labels. */
const exported = new Map<string, readonly string[]>();
const registry = new Registry();
let dashboard: Dashboard;
let rules: Rules['groups'][number]['rules'];

beforeAll(async () => {
  for (const { type, name, labels } of Object.values(METRICS)) {
    const endings = type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    for (const ending of endings) exported.set(PREFIX + name + ending, labels);
  }
  collectDefaultMetrics({ register: registry });
  for (const { name } of registry.getMetricsAsArray()) exported.set(name, []);
  dashboard = JSON.parse(await read('deploy/grafana/pogo-gateway.json')) as Dashboard;
  rules = (parse(await read('deploy/prometheus/alerts.yaml')) as Rules).groups.flatMap((group) => group.rules);
});
afterAll(() => registry.clear());

/** What is wrong with the names and labels of a query. */
function mistakesIn(query: string): string[] {
  const names = query.match(/\b(?:pogo_websocket|nodejs|process)_\w+/g) ?? [];
  const unknown = names.filter((name) => !exported.has(name));
  const labels = [
    ...[...query.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside = '']) => [
      ...inside.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g),
    ]),
    ...[...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, inside = '']) => [...inside.matchAll(/(\w+)/g)]),
  ].map(([, label = '']) => label);
  const known = new Set([...SCRAPE_LABELS, ...names.flatMap((name) => exported.get(name) ?? [])]);
  const strange = labels.filter((label) => !known.has(label));
  const open = [...query].filter((c) => '([{'.includes(c)).length - [...query].filter((c) => ')]}'.includes(c)).length;
  return [...(names.length === 0 ? ['no metric'] : []), ...unknown, ...strange, ...(open === 0 ? [] : ['brackets'])];
}

describe('The dashboard', () => {
  it('asks for metrics and labels that are exported, and for nothing else', () => {
    const queries = [
      ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
      ...dashboard.templating.list.flatMap(({ query }) => (typeof query === 'string' ? [] : [query.query])),
    ];
    expect(queries.length).toBeGreaterThan(30);
    // label_values(metric, label) is Grafana's.
    const plain = queries.map((query) => query.replace(/^label_values\((.*), (\w+)\)$/, '$1'));
    expect(plain.flatMap((query) => mistakesIn(query).map((mistake) => `${mistake} in ${query}`))).toEqual([]);
  });

  it('shows every metric of the gateway', () => {
    const text = JSON.stringify(dashboard);
    const missing = Object.values(METRICS).filter(({ name }) => !text.includes(PREFIX + name));
    // Publishes are shown by app, which adds up to the same.
    expect(missing.map(({ name }) => name)).toEqual(['messages_total']);
  });

  it('has panels that can be told apart, with a title and an explanation', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { type, title, description, gridPos } of dashboard.panels) {
      expect(title).not.toBe('');
      if (type !== 'row') expect(description ?? '', title).not.toBe('');
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
    }
  });
});

describe('The alert rules', () => {
  it('ask for metrics and labels that are exported', () => {
    expect(rules.length).toBeGreaterThan(8);
    const wrong = rules.flatMap(({ alert, expr }) =>
      mistakesIn(expr.replace(/\bon \(instance\)/g, '')).map((mistake) => `${alert}: ${mistake}`),
    );
    expect(wrong).toEqual([]);
  });

  it('say what to do, and stand in docs/metrics.md', async () => {
    const page = await read('docs/metrics.md');
    for (const { alert, annotations } of rules) {
      expect(annotations.description.length, alert).toBeGreaterThan(20);
      expect(page).toContain(`\`${alert}\``);
    }
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });

  it('and the dashboard would not get away with a name that does not exist', () => {
    expect(mistakesIn('rate(pogo_websocket_nothing_total{app_id="1"}[5m])')).toEqual([
      'pogo_websocket_nothing_total',
      'app_id',
    ]);
  });
});

describe('docs/metrics.md', () => {
  it('has a row for every metric, with its type and labels, and for no other', async () => {
    const page = await read('docs/metrics.md');
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    const cells = rows.map((line) => line.split('|').map((cell) => cell.trim()));
    for (const { type, name, labels } of Object.values(METRICS)) {
      const row = cells.find(([, first]) => first === `\`${name}\``);
      expect(row, name).toBeDefined();
      expect([name, row?.[2], row?.[3]]).toEqual([name, type, labels.map((label) => `\`${label}\``).join(', ') || '–']);
    }
    const listed = cells.filter(([, , second]) => ['counter', 'gauge', 'histogram'].includes(second ?? ''));
    expect(listed).toHaveLength(Object.keys(METRICS).length);
  });
});
