import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { explainConfig, type LoadedConfig } from '../apps/gateway/src/config/load-config.js';
import { SETTING_KEYS } from '../apps/gateway/src/config/settings.js';
import { CI_FILES, secretsIn, textsOf, valuesOf } from './support/chart.js';
import { Helm, HELM_TIMEOUT_MS, type RenderOptions } from './support/helm.js';
import { gatewayOf, podOf, referenceProblems } from './support/kubernetes-references.js';
import { fieldProblems, valuesAt, type Manifest } from './support/kubernetes.js';
import { podEnvironment, type Given } from './support/pod-environment.js';
import { testPair } from './support/tls/certificates.js';

/** What somebody else has made in the cluster before the chart is installed. */
const GIVEN: Given = {
  'pogo-secrets': {
    POGO_WS_APP_ID: '5',
    POGO_WS_APP_KEY: 'existing-key',
    POGO_WS_APP_SECRET: 'existing-secret',
    POGO_WS_REDIS_URL: 'redis://:existing-password@redis.data.svc',
  },
  'pogo-file': { 'gateway.json': '{"apps": [{"id": "6", "key": "file-key", "secret": "file-secret"}]}' },
  'gateway-tls': { 'tls.crt': testPair('first').cert, 'tls.key': testPair('first').key },
  proxies: { POGO_WS_TRUSTED_PROXIES: '192.0.2.0/24' },
  'redis-ca': {},
};

/** What the gateway makes of each file: apps by id, and settings. */
const EXPECTED: Readonly<Record<string, { readonly apps: readonly string[]; readonly settings: object }>> = {
  'minimal-values.yaml': {
    apps: ['1'],
    settings: { host: '0.0.0.0', port: 8080, shutdown_timeout: 10_000, metrics_host: '0.0.0.0', metrics_port: 2019 },
  },
  'redis-external-values.yaml': {
    apps: ['shop'],
    settings: {
      redis_url: expect.objectContaining({ host: 'redis.data.svc', db: 2, username: 'gateway' }) as object,
      redis_prefix: 'shop',
      trusted_proxies: ['10.244.0.0/16', 'fd00:10:244::/56'],
      shutdown_timeout: 30_000,
      max_event_bytes: 1_048_576,
      log_level: 'debug',
    },
  },
  'redis-cluster-sentinel-values.yaml': {
    apps: ['0010', 'blog'],
    settings: {
      redis_sentinels: [26_379, 26_379, 26_379].map((port, i) => ({ host: `sentinel-${i + 1}`, port })),
      redis_sentinel_name: 'pogo',
      redis_db: 3,
      redis_tls: true,
      dialect: 'reverb',
    },
  },
  'redis-cluster-values.yaml': {
    apps: ['1', '2'],
    settings: { host: '::', metrics_port: 'off', redis_cluster_nodes: expect.any(Array) as unknown[] },
  },
  'existing-secret-values.yaml': { apps: ['5', '6'], settings: { trusted_proxies: ['192.0.2.0/24'] } },
  'full-values.yaml': {
    apps: ['7'],
    settings: { path_prefix: '/ws', metrics_port: 9464, hot_path_metrics: true, num_shards: 8, handshake_burst: 200 },
  },
  'trial-values.yaml': {
    apps: ['1'],
    settings: { redis_host: { host: 'pogo-pogo-gateway-redis', port: 6379 } },
  },
};

const APP = { app: { key: 'a-key', secret: 'a-secret' } };
const REDIS = { redis: { host: 'redis' } };

let helm: Helm | undefined;
let problem = '';
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pogo-chart-'));
  const found = await Helm.find();
  if (typeof found === 'string') problem = found;
  else helm = found;
}, HELM_TIMEOUT_MS);

afterAll(async () => {
  await helm?.remove();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach((context) => {
  if (helm === undefined) context.skip(problem);
});

const template = (options: RenderOptions = {}) => (helm as Helm).template(options);
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
    manifests = (await helm?.template({ files: [file] })) ?? [];
  });

  it('passes the linter', async () => {
    const { code, output, errors } = await (helm as Helm).lint(file);
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
    expect(isIn(ofKind(manifests, 'Secret'))).toEqual(secrets);
    if (file !== 'existing-secret-values.yaml') expect(secrets).not.toEqual([]);
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
  it.each<readonly [string, object, RegExp]>([
    ['two nodes without Redis', { ...APP, replicaCount: 2 }, /replicaCount 2 needs Redis: nodes without one/],
    ['an autoscaler without Redis', { ...APP, autoscaling: { enabled: true } }, /autoscaling\.enabled needs Redis/],
    ['no app', {}, /no app is configured/],
    ['a key without a secret', { app: { key: 'k' } }, /go together/],
    ['two places of Redis', { ...APP, redis: { host: 'a', sentinels: ['b'] } }, /redis\.host, redis\.sentinels: each/],
    ['a password for no Redis', { ...APP, redis: { password: 'p' } }, /nothing says where Redis is/],
    ['a password for the trial', { ...APP, redis: { password: 'p', trial: { enabled: true } } }, /no password/],
    ['a database of a Redis Cluster', { ...APP, redis: { clusterNodes: ['a'], db: 1 } }, /redis\.db must be 0/],
    ['TLS beside a URL', { ...APP, redis: { url: 'redis://a', tls: true } }, /rediss:/],
    [
      'secrets in two places',
      { ...APP, existingSecret: 's' },
      /existingSecret is set, and so are .*POGO_WS_APP_SECRET/,
    ],
    ['TLS without a certificate', { ...APP, tls: { enabled: true } }, /tls\.secretName/],
    ['an ingress for no host', { ...APP, ingress: { enabled: true } }, /ingress\.hosts/],
    ['one port for two things', { ...APP, containerPort: 2019 }, /must differ/],
    ['an unknown value', { ...APP, replicas: 2 }, /additional properties 'replicas' not allowed/],
    ['an unknown value below another', { app: { ...APP.app, name: 'a' } }, /'name' not allowed/],
    ['an unknown setting', { ...APP, config: { settings: { max_conections: 1 } } }, /'max_conections' not allowed/],
    ['a setting that another value sets', { ...APP, config: { settings: { port: 1 } } }, /'port' not allowed/],
    ['a secret among settings', { ...APP, config: { settings: { redis_password: 'p' } } }, /not allowed/],
    ['an app without a secret', { config: { apps: [{ id: '1', key: 'k' }] } }, /missing property 'secret'/],
    ['a secret that is a number', { app: { key: 'k', secret: 42 } }, /got number, want string/],
    ['a number that is a text', { ...APP, replicaCount: '1' }, /got string, want integer/],
    ['a flag that is a text', { ...APP, metrics: { enabled: 'false' } }, /got string, want boolean/],
    ['a privileged port', { ...APP, containerPort: 80 }, /containerPort/],
    ['a range that is none', { ...APP, trustedProxies: ['pods'] }, /trustedProxies/],
  ])('refuses %s', async (_what, values, sentence) => {
    expect(await (helm as Helm).refusal({ values })).toMatch(sentence);
  });

  it.each([
    ['one node without Redis', { replicaCount: 1 }],
    ['several nodes with Redis', { replicaCount: 9, ...REDIS }],
    ['an autoscaler with Redis', { autoscaling: { enabled: true }, ...REDIS }],
    ['no node at all', { replicaCount: 0 }],
  ])('takes %s', async (_what, values) => {
    expect(load(await withApp(values)).config.apps).toHaveLength(1);
  });

  it('leaves the number of nodes to the autoscaler', async () => {
    const [fixed, scaled] = await Promise.all([withApp(REDIS), withApp({ ...REDIS, autoscaling: { enabled: true } })]);
    expect(gatewayOf(fixed).spec).toHaveProperty('replicas', 1);
    expect(gatewayOf(scaled).spec).not.toHaveProperty('replicas');
  });

  it('keeps names short however long those of the release are', async () => {
    const files = ['trial-values.yaml'];
    const manifests = await template({
      files,
      release: 'r'.repeat(53),
      values: { nameOverride: `n${'o'.repeat(80)}` },
    });
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
});
