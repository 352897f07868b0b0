import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explainConfig, type LoadedConfig } from '../apps/gateway/src/config/load-config.js';
import { SETTING_KEYS } from '../apps/gateway/src/config/settings.js';
import { APP, EXPECTED, GIVEN, REDIS } from './support/chart-cases.js';
import { CI_FILES, secretsIn, textsOf, valuesOf } from './support/chart.js';
import { useHelm, type Helm, type RenderOptions } from './support/helm.js';
import { gatewayOf, podOf, referenceProblems } from './support/kubernetes-references.js';
import { contentOf, fieldProblems, valuesAt, type Manifest } from './support/kubernetes.js';
import { podEnvironment } from './support/pod-environment.js';

const helm = useHelm();
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pogo-chart-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const template = (options: RenderOptions = {}) => (helm() as Helm).template(options);
const withApp = (values: object, options: RenderOptions = {}) =>
  template({ ...options, values: { ...APP, ...values } });
const load = (manifests: readonly Manifest[]): LoadedConfig =>
  explainConfig(podEnvironment(manifests, GIVEN, mkdtempSync(join(folder, 'pod-'))));
const ofKind = (manifests: readonly Manifest[], kind: string) => manifests.filter((each) => each.kind === kind);

it('knows what to expect of every file of ci/', () => {
  expect(Object.keys(EXPECTED).sort()).toEqual(CI_FILES);
});

describe.each(CI_FILES)('the chart with ci/%s', (file) => {
  let manifests: Manifest[] = [];

  beforeAll(async () => {
    manifests = (await helm()?.template({ files: [file] })) ?? [];
  });

  it('passes the linter', async () => {
    const { code, output, errors } = await (helm() as Helm).lint(file);
    expect(`${output}${errors}`).not.toMatch(/ERROR|WARNING|Fail/);
    expect(code).toBe(0);
  });

  it('has every field that Kubernetes requires, and names that it takes', () => {
    expect(manifests.length).toBeGreaterThan(2);
    expect(manifests.flatMap(fieldProblems)).toEqual([]);
    const names = manifests.map(({ kind, metadata: { namespace, name } }) => `${kind} ${namespace}/${name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it('refers to nothing that is not there', () => {
    expect(referenceProblems(manifests, new Set(Object.keys(GIVEN)))).toEqual([]);
  });

  it('names settings that there are', () => {
    const known = new Set(['POGO_WS_CONFIG', ...SETTING_KEYS.map((key) => `POGO_WS_${key.toUpperCase()}`)]);
    const named = manifests.flatMap((each) => JSON.stringify(each).match(/POGO_WS_\w+/g) ?? []);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
    expect(named).toContain('POGO_WS_SHUTDOWN_TIMEOUT');
  });

  it('is a configuration that the gateway accepts', () => {
    const { config, settings } = load(manifests);
    const { apps, settings: expected } = EXPECTED[file] ?? {};
    expect(config.apps.map(({ id }) => id)).toEqual(apps);
    expect(settings).toMatchObject(expected ?? {});
    expect(config.isDevelopmentApp).toBe(false);
  });

  it('connects its nodes whenever there may be several', () => {
    const [replicas = 2] = valuesAt(gatewayOf(manifests), 'spec.replicas?') as number[];
    if (replicas > 1) expect(load(manifests).config.redis).toBeDefined();
  });

  it('gives a pod the time that it needs to end', () => {
    const { containers, terminationGracePeriodSeconds } = podOf(gatewayOf(manifests));
    const seconds = containers[0]?.lifecycle?.preStop.sleep?.seconds ?? 0;
    expect(terminationGracePeriodSeconds * 1_000).toBeGreaterThan(
      seconds * 1_000 + load(manifests).config.shutdownTimeoutMs,
    );
  });

  it('asks the ports that the gateway listens on', () => {
    const { config } = load(manifests);
    const { ports } = podOf(gatewayOf(manifests)).containers[0] ?? { ports: [] };
    const scheme = config.tls === undefined ? 'http' : 'https';
    const metrics = config.metrics === undefined ? [] : [{ name: 'metrics', containerPort: config.metrics.port }];
    expect(ports).toMatchObject([{ name: scheme, containerPort: config.port }, ...metrics]);
    expect(ofKind(manifests, 'Service').flatMap((each) => valuesAt(each, 'spec.ports[].name'))).toEqual(
      expect.arrayContaining([scheme, ...metrics.map(({ name }) => name)]),
    );
  });

  it('keeps secrets in Secrets', () => {
    const secrets = secretsIn(valuesOf(`ci/${file}`));
    const isIn = (object: unknown) => secrets.filter((secret) => textsOf(object).some((text) => text.includes(secret)));
    expect(isIn(manifests.filter(({ kind }) => kind !== 'Secret'))).toEqual([]);
    expect(isIn(ofKind(manifests, 'Secret').map(contentOf))).toEqual(secrets);
    if (file !== 'existing-secret-values.yaml') expect(secrets).not.toEqual([]);
  });

  it('writes Secrets so that an upgrade can take something out of them', () => {
    const fields = ofKind(manifests, 'Secret').flatMap((each) => Object.keys(each));
    // The API copies it into `data`, where Helm, which compares what it wrote, never sees it again.
    expect(fields).not.toContain('stringData');
  });

  it('lets the pods do next to nothing', () => {
    for (const pod of ofKind(manifests, 'Deployment').map(podOf)) {
      expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(pod.containers).toHaveLength(1);
      expect(pod.containers[0]?.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  it('renders for the oldest Kubernetes as well', async () => {
    const old = await template({ files: [file], kubernetes: '1.25.0' });
    expect(old.flatMap(fieldProblems)).toEqual([]);
    expect(JSON.stringify(old)).not.toMatch(/"sleep":\{|unhealthyPodEvictionPolicy/);
  });
});

describe('the chart', () => {
  it('leaves the number of nodes to the autoscaler', async () => {
    const [fixed, scaled] = await Promise.all([withApp(REDIS), withApp({ ...REDIS, autoscaling: { enabled: true } })]);
    expect(gatewayOf(fixed).spec).toHaveProperty('replicas', 1);
    expect(gatewayOf(scaled).spec).not.toHaveProperty('replicas');
  });

  it('keeps names short however long those of the release are', async () => {
    const values = { nameOverride: `n${'o'.repeat(80)}` };
    const manifests = await template({ files: ['trial-values.yaml'], release: 'r'.repeat(53), values });
    expect(manifests.flatMap(fieldProblems)).toEqual([]);
    expect(referenceProblems(manifests, new Set())).toEqual([]);
  });

  it('sleeps before it drains, as the cluster knows how', async () => {
    const preStop = async (options: RenderOptions, preStopSeconds: number) =>
      podOf(gatewayOf(await withApp({ shutdown: { preStopSeconds } }, options))).containers[0]?.lifecycle?.preStop;
    expect(await preStop({}, 7)).toEqual({ sleep: { seconds: 7 } });
    expect(await preStop({ kubernetes: '1.29.3' }, 7)).toEqual({ exec: { command: ['sleep', '7'] } });
    expect(await preStop({}, 0)).toBeUndefined();
  });

  it('brings new pods for changed settings and secrets, and for changed apps when told to', async () => {
    const checksums = async (config: object, more: object = {}) => {
      const annotations = valuesAt(gatewayOf(await withApp({ config, ...more })), 'spec.template.metadata.annotations');
      return annotations[0] as Readonly<Record<string, string>>;
    };
    const apps = (key: string) => [{ id: '2', key, secret: 'another-secret' }];
    const first = await checksums({ apps: apps('a') });
    expect(await checksums({ apps: apps('b') })).toEqual(first);
    expect(await checksums({ apps: apps('a'), settings: { log_level: 'debug' } })).not.toEqual(first);
    expect(await checksums({ apps: apps('a') }, { webhookSecret: 'w' })).not.toEqual(first);
    expect(await checksums({ apps: apps('a'), rolloutOnAppChange: true })).not.toEqual(
      await checksums({ apps: apps('b'), rolloutOnAppChange: true }),
    );
  });

  it('replaces a pod once another one is ready, and asks for health where it is answered with any prefix', async () => {
    for (const manifests of [await withApp({}), await template({ files: ['full-values.yaml'] })]) {
      const gateway = gatewayOf(manifests);
      expect(valuesAt(gateway, 'spec.strategy.rollingUpdate')).toEqual([{ maxUnavailable: 0, maxSurge: 1 }]);
      const scheme = load(manifests).config.tls === undefined ? {} : { scheme: 'HTTPS' };
      const asked = ['startupProbe', 'livenessProbe', 'readinessProbe'].flatMap((probe) =>
        valuesAt(gateway, `spec.template.spec.containers[].${probe}.httpGet`),
      );
      expect(asked).toMatchObject(['/up', '/up', '/ready'].map((path) => ({ path, ...scheme })));
    }
    const atOnce = gatewayOf(await withApp({ updateStrategy: { type: 'Recreate' } }));
    expect(valuesAt(atOnce, 'spec.strategy')).toEqual([{ type: 'Recreate' }]);
  });

  it('tells nginx to let WebSockets be, and whoever knows better overrides it', async () => {
    const nginx = (manifests: readonly Manifest[]) =>
      Object.entries(ofKind(manifests, 'Ingress')[0]?.metadata.annotations ?? {})
        .filter(([name]) => name.startsWith('nginx.'))
        .map(([name, value]) => `${name.replace('nginx.ingress.kubernetes.io/', '')}=${value}`)
        .sort();
    const paths = (manifests: readonly Manifest[]) =>
      ofKind(manifests, 'Ingress').flatMap((each) => valuesAt(each, 'spec.rules[].http.paths[].path'));
    const plain = await withApp({ ingress: { enabled: true, hosts: [{ host: 'ws.example.com' }] } });
    const own = ['proxy-body-size=2m', 'proxy-buffering=off', 'proxy-read-timeout=3600', 'proxy-send-timeout=3600'];
    expect([nginx(plain), paths(plain)]).toEqual([own, ['/']]);
    const full = await template({ files: ['full-values.yaml'] });
    expect(nginx(full)).toEqual(['backend-protocol=HTTPS', own[0], 'proxy-read-timeout=7200', own[3]]);
    expect(paths(full)).toEqual(['/ws', '/ws/app', '/ws/apps']);
  });

  it('keeps metrics from the public, and admits the namespaces that are named', async () => {
    const manifests = await template({ files: ['full-values.yaml'] });
    const [open, ...others] = ofKind(manifests, 'Service').filter((each) => !each.metadata.name.endsWith('-metrics'));
    expect(others).toEqual([]);
    expect(valuesAt(open, 'spec.ports[].targetPort')).toEqual(['https']);
    const rules = ofKind(manifests, 'NetworkPolicy').flatMap((each) => valuesAt(each, 'spec.ingress[]'));
    const admitted = rules.filter((rule) => valuesAt(rule, 'ports[].port').includes('metrics'));
    expect(admitted).toHaveLength(1);
    expect(valuesAt(admitted[0], 'ports[].port')).toEqual(['metrics']);
    expect(valuesAt(admitted[0], 'from[].namespaceSelector.matchExpressions[].values')).toEqual([
      ['monitoring', 'observability'],
    ]);
    const [closed] = ofKind(
      await withApp({ networkPolicy: { enabled: true, metricsNamespaces: [] } }),
      'NetworkPolicy',
    );
    expect(valuesAt(closed, 'spec.ingress[].ports[].port')).toEqual(['http']);
  });

  it('says after the installation where everything is, and what to mind', async () => {
    const notes = (options: RenderOptions) => (helm() as Helm).notes(options);
    const full = await notes({ files: ['full-values.yaml'] });
    expect(full).toContain('wss://ws.example.com/ws/app/full-key');
    expect(full).toContain('REVERB_HOST=pogo-ws.realtime.svc\n');
    expect(full).toMatch(/REVERB_PORT=443\n\s+REVERB_SCHEME=https\n/);
    expect(full).toMatch(/VITE_REVERB_HOST=ws\.example\.com\n\s+VITE_REVERB_PORT=443\n\s+VITE_REVERB_SCHEME=https\n/);
    expect(full).toContain("'path' => '/ws'");
    expect(full).not.toMatch(/WARNING|One node/);
    expect(await notes({ files: ['trial-values.yaml'] })).toMatch(/WARNING: redis\.trial\.enabled is for a trial/);
    const one = await notes({ values: { ...APP, ingress: { enabled: true, hosts: [{ host: 'ws.example.com' }] } } });
    expect(one).toMatch(/One node, no Redis[^]*WARNING: trustedProxies is empty/);
    const service = (more: object) => notes({ values: { ...APP, service: { type: 'LoadBalancer', ...more } } });
    expect(await service({})).toMatch(/WARNING: without service\.externalTrafficPolicy Local/);
    expect(await service({ externalTrafficPolicy: 'Local' })).not.toContain('WARNING');
    for (const file of CI_FILES) {
      const text = await notes({ files: [file] });
      expect(secretsIn(valuesOf(`ci/${file}`)).filter((secret) => text.includes(secret))).toEqual([]);
    }
  });
});
