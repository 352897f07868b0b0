import { expect } from 'vitest';
import type { Given } from './pod-environment.js';
import { testPair } from './tls/certificates.js';

/** What somebody else has made in the cluster before the chart is installed. */
export const GIVEN: Given = {
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
export const EXPECTED: Readonly<Record<string, { readonly apps: readonly string[]; readonly settings: object }>> = {
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

export const APP = { app: { key: 'a-key', secret: 'a-secret' } };
export const REDIS = { redis: { host: 'redis' } };

/** Null, where the chart can do without: it is how a values file takes back what another one has set. */
export const NOTHING_IN = {
  ...Object.fromEntries(
    [
      ...['imagePullSecrets', 'nameOverride', 'fullnameOverride', 'pathPrefix', 'trustedProxies', 'commandSecret'],
      ...['webhookSecret', 'existingSecret', 'podSecurityContext', 'securityContext', 'podAnnotations', 'podLabels'],
      ...['priorityClassName', 'nodeSelector', 'tolerations', 'affinity', 'topologySpreadConstraints', 'extraEnv'],
      ...['extraEnvFrom', 'extraVolumes', 'extraVolumeMounts'],
    ].map((name) => [name, null]),
  ),
  config: { settings: null, apps: null, existingSecret: null },
  redis: { url: null, host: 'redis', clusterNodes: null, sentinels: null, password: null, db: null, tls: null },
  service: { type: 'LoadBalancer', annotations: null, loadBalancerSourceRanges: null },
  ingress: { enabled: true, annotations: null, className: null, tls: null, hosts: [{ host: 'ws.example.com' }] },
  autoscaling: { enabled: true, metrics: null, behavior: null },
  networkPolicy: { enabled: true, ingressFrom: null, metricsNamespaces: null, egress: null },
  serviceAccount: { annotations: null, name: null },
};

/** What is not rendered: what it is, the values, and the sentence. */
export const REFUSED: readonly (readonly [what: string, values: object, sentence: RegExp])[] = [
  ['two nodes without Redis', { ...APP, replicaCount: 2 }, /replicaCount 2 needs Redis: nodes without one/],
  ['an autoscaler without Redis', { ...APP, autoscaling: { enabled: true } }, /autoscaling\.enabled needs Redis/],
  ['no app', {}, /no app is configured/],
  ['a key without a secret', { app: { key: 'k' } }, /go together/],
  ['two places of Redis', { ...APP, redis: { host: 'a', sentinels: ['b'] } }, /redis\.host, redis\.sentinels: each/],
  ['a password for no Redis', { ...APP, redis: { password: 'p' } }, /nothing says where Redis is/],
  ['a password for the trial', { ...APP, redis: { password: 'p', trial: { enabled: true } } }, /no password/],
  ['a database of a Redis Cluster', { ...APP, redis: { clusterNodes: ['a'], db: 1 } }, /redis\.db must be 0/],
  ['TLS beside a URL', { ...APP, redis: { url: 'redis://a', tls: true } }, /rediss:/],
  ['secrets in two places', { ...APP, existingSecret: 's' }, /existingSecret is set, and so are .*POGO_WS_APP_SECRET/],
  ['a name that no Service has', { ...APP, fullnameOverride: '2pogo' }, /cannot be called 2pogo.*Set fullnameOverride/],
  ['an id beside a Secret', { app: { id: 'shop' }, existingSecret: 's' }, /app\.id: put it into .* POGO_WS_APP_ID/],
  ['a database of no Redis', { ...APP, redis: { db: 3 } }, /redis\.db is set, but nothing says where Redis is/],
  ['TLS to no Redis', { ...APP, redis: { tls: true } }, /redis\.tls is set, but nothing says where Redis is/],
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
  ['no number of nodes', { ...APP, replicaCount: null }, /missing property 'replicaCount'/],
  ['no path of a probe', { ...APP, livenessProbe: { path: null } }, /missing property 'path'/],
  ['no Redis in this way', { ...APP, redis: null }, /missing property 'redis'/],
  [
    'a budget of nothing',
    { ...APP, podDisruptionBudget: { enabled: true, maxUnavailable: null } },
    /needs maxUnavailable or minAvailable/,
  ],
  ['a range that is none', { ...APP, trustedProxies: ['pods'] }, /trustedProxies/],
];
