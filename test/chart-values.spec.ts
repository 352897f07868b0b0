import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explainConfig, type LoadedConfig } from '../apps/gateway/src/config/load-config.js';
import { APP, GIVEN, NOTHING_IN, REDIS, REFUSED } from './support/chart-cases.js';
import { useHelm, type Helm, type RenderOptions } from './support/helm.js';
import { gatewayOf, referenceProblems } from './support/kubernetes-references.js';
import { fieldProblems, valuesAt, type Manifest } from './support/kubernetes.js';
import { podEnvironment } from './support/pod-environment.js';

const helm = useHelm();
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pogo-chart-values-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const render = (values: object, options: RenderOptions = {}) =>
  (helm() as Helm).template({ ...options, values: { ...APP, ...values } });
const load = (manifests: readonly Manifest[]): LoadedConfig =>
  explainConfig(podEnvironment(manifests, GIVEN, mkdtempSync(join(folder, 'pod-'))));

function typesIn(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(typesIn);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, typesIn(each)]));
}

describe('the chart', () => {
  it.each(REFUSED)('refuses %s', async (_what, values, sentence) => {
    expect(await (helm() as Helm).refusal({ values })).toMatch(sentence);
  });

  it.each([
    ['one node without Redis', { replicaCount: 1 }],
    ['several nodes with Redis', { replicaCount: 9, ...REDIS }],
    ['an autoscaler with Redis', { autoscaling: { enabled: true }, ...REDIS }],
    ['no node at all', { replicaCount: 0 }],
  ])('takes %s', async (_what, values) => {
    expect(load(await render(values)).config.apps).toHaveLength(1);
  });

  it('takes null for what may be left out', async () => {
    const manifests = await render(NOTHING_IN);
    expect(manifests.flatMap(fieldProblems)).toEqual([]);
    expect(load(manifests).config.apps).toHaveLength(1);
  });

  it('has a variable of extraEnv once, in the place of its own', async () => {
    const extraEnv = [{ name: 'POGO_WS_SHUTDOWN_TIMEOUT', value: '9s' }];
    const manifests = await render({ extraEnv });
    expect(referenceProblems(manifests, new Set())).toEqual([]);
    expect(load(manifests).settings.shutdown_timeout).toBe(9_000);
  });

  it('takes names that are no texts to YAML unless they are quoted', async () => {
    const [ordinary, odd] = await Promise.all(
      [
        ['release', 'space', 'name', 'other'],
        ['no', '1234', 'on', '5'],
      ].map(([release = '', namespace = '', name, other]) => {
        const metrics = { serviceMonitor: { enabled: true } };
        const ingress = { enabled: true, className: other, hosts: [{ host: 'ws.example.com' }] };
        const tls = { enabled: true, secretName: other };
        const values = { fullnameOverride: name, nameOverride: name, metrics, ingress, tls, priorityClassName: other };
        return render({ ...values, config: { existingSecret: other } }, { release, namespace });
      }),
    );
    expect(typesIn(odd)).toEqual(typesIn(ordinary));
  });

  it('spreads its own pods, or those that a constraint of somebody else selects', async () => {
    const own = { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' };
    const labelSelector = { matchLabels: { team: 'realtime' } };
    const gateway = gatewayOf(await render({ topologySpreadConstraints: [own, { ...own, labelSelector }] }));
    const selectors = valuesAt(gateway, 'spec.template.spec.topologySpreadConstraints[].labelSelector');
    expect(selectors).toEqual([valuesAt(gateway, 'spec.selector')[0], labelSelector]);
  });

  it.each([{}, { nameOverride: 'web.sockets' }, { fullnameOverride: 'web.sockets' }])(
    'has names without dots, which Services cannot have: %j',
    async (values) => {
      const manifests = await render({ ...values, redis: { trial: { enabled: true } } }, { release: 'pogo.v2' });
      expect(manifests.flatMap(fieldProblems)).toEqual([]);
      expect(referenceProblems(manifests, new Set())).toEqual([]);
    },
  );

  it('asks nothing of a pod where null takes the probe away', async () => {
    const gateway = gatewayOf(await render({ livenessProbe: null, startupProbe: null }));
    const [container] = valuesAt(gateway, 'spec.template.spec.containers[]') as object[];
    expect(Object.keys(container ?? {}).filter((key) => key.endsWith('Probe'))).toEqual(['readinessProbe']);
  });
});
