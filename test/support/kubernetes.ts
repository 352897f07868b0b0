/** An object of the Kubernetes API, as far as the chart's tests look at it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Labels;
    readonly annotations?: Labels;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: unknown;
}

export type Labels = Readonly<Record<string, string>>;

/** Kind → the API that has it, and the fields that the API requires, or that the object is nothing without. */
const KINDS: Readonly<Record<string, { readonly apiVersion: string; readonly required: readonly string[] }>> = {
  ServiceAccount: { apiVersion: 'v1', required: ['automountServiceAccountToken'] },
  Secret: { apiVersion: 'v1', required: ['type', 'data'] },
  ConfigMap: { apiVersion: 'v1', required: ['data'] },
  Service: {
    apiVersion: 'v1',
    required: ['spec.selector', 'spec.ports', 'spec.ports[].name', 'spec.ports[].port', 'spec.ports[].targetPort'],
  },
  Deployment: {
    apiVersion: 'apps/v1',
    required: [
      'spec.selector.matchLabels',
      'spec.template.metadata.labels',
      'spec.template.spec.containers',
      ...[
        'name',
        'image',
        'env?[].name',
        'env?[].value',
        'ports[].name',
        'ports[].containerPort',
        'volumeMounts[].name',
        'volumeMounts[].mountPath',
        'readinessProbe.periodSeconds',
        'resources.requests',
        'resources.limits',
      ].map((field) => `spec.template.spec.containers[].${field}`),
      'spec.template.spec.volumes[].name',
      ...['maxSkew', 'topologyKey', 'whenUnsatisfiable', 'labelSelector'].map(
        (field) => `spec.template.spec.topologySpreadConstraints?[].${field}`,
      ),
    ],
  },
  Ingress: {
    apiVersion: 'networking.k8s.io/v1',
    required: ['host', 'http.paths', ...['path', 'pathType', 'backend.service.name', 'backend.service.port.name']]
      .map((field) => (field.startsWith('h') ? field : `http.paths[].${field}`))
      .map((field) => `spec.rules[].${field}`),
  },
  HorizontalPodAutoscaler: {
    apiVersion: 'autoscaling/v2',
    required: [
      ...['apiVersion', 'kind', 'name'].map((field) => `spec.scaleTargetRef.${field}`),
      'spec.maxReplicas',
      'spec.metrics[].type',
    ],
  },
  PodDisruptionBudget: { apiVersion: 'policy/v1', required: ['spec.selector.matchLabels'] },
  NetworkPolicy: {
    apiVersion: 'networking.k8s.io/v1',
    required: ['spec.podSelector.matchLabels', 'spec.policyTypes[]', 'spec.ingress[].ports[].port'],
  },
  ServiceMonitor: {
    apiVersion: 'monitoring.coreos.com/v1',
    required: ['spec.selector.matchLabels', 'spec.endpoints[].port', 'spec.endpoints[].path'],
  },
};

/** A label of DNS: what all of the chart's objects may be called. */
const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const MAX_NAME = 63;
/** An IANA service name: what a port may be called. */
const PORT_NAME = /^(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/;
const MAX_PORT_NAME = 15;

/** What the API would refuse in this object, a sentence each. */
export function fieldProblems(manifest: Manifest): string[] {
  const { apiVersion, kind, metadata } = manifest;
  const known = KINDS[kind];
  const called = `${kind} ${metadata.name}`;
  if (known === undefined) return [`${called}: a kind that the test knows nothing about`];
  const labels = valuesAt(manifest, 'spec?.template?.metadata.labels').concat(metadata.labels ?? {}) as Labels[];
  const portNames = namedPorts(manifest);
  return [
    ...(apiVersion === known.apiVersion ? [] : [`${called}: apiVersion ${apiVersion}`]),
    ...(NAME.test(metadata.name) && metadata.name.length <= MAX_NAME ? [] : [`${called}: not a name`]),
    ...known.required.flatMap((path) =>
      valuesAt(manifest, path).some((value) => value === undefined || value === null)
        ? [`${called}: ${path} is missing`]
        : [],
    ),
    ...labels
      .flatMap((each) => Object.entries(each))
      .filter(([, value]) => typeof value !== 'string' || !LABEL_VALUE.test(value))
      .map(([label]) => `${called}: the value of label ${label} is none`),
    ...portNames
      .filter((name) => !PORT_NAME.test(name) || name.length > MAX_PORT_NAME)
      .map((name) => `${called}: a port cannot be called ${name}`),
  ];
}

/** Names that ports have, or are looked for by. */
function namedPorts(manifest: Manifest): string[] {
  const paths = ['spec?.ports?[].name', 'spec?.template?.spec.containers[].ports[].name'];
  return paths.flatMap((path) => valuesAt(manifest, path)).filter((name) => typeof name === 'string');
}

/** What a Secret or a ConfigMap holds, as whoever reads it gets it. */
export function contentOf({ kind, data = {} }: Manifest): Readonly<Record<string, string>> {
  if (kind !== 'Secret') return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

/**
 * The values at a path such as `spec.ports[].port`, one for each entry of the lists on the way; undefined for one that
 * is missing. Behind a name with `?` nothing is missing when there is none.
 */
export function valuesAt(object: unknown, path: string): unknown[] {
  let values: unknown[] = [object];
  for (const step of path.split('.')) {
    const [, name = '', optional, isList] = /^([^?[]+)(\?)?(\[\])?$/.exec(step) ?? [];
    values = values
      .map((value) => (value as Readonly<Record<string, unknown>> | undefined)?.[name])
      .filter((value) => value !== undefined || optional === undefined);
    if (isList === undefined) continue;
    values = values.flatMap((value) => (Array.isArray(value) && value.length > 0 ? (value as unknown[]) : [undefined]));
  }
  return values;
}

/** Whether a selector's labels are all among those of an object. */
export function selects(selector: Labels | undefined, labels: Labels | undefined): boolean {
  const wanted = Object.entries(selector ?? {});
  return wanted.length > 0 && wanted.every(([name, value]) => labels?.[name] === value);
}
