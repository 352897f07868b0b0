import { selects, valuesAt, type Labels, type Manifest } from './kubernetes.js';

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly envFrom?: readonly { readonly secretRef?: { name: string }; readonly configMapRef?: { name: string } }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly lifecycle?: {
    readonly preStop: { readonly sleep?: { seconds: number }; readonly exec?: { command: string[] } };
  };
  readonly securityContext: object;
}

export interface Volume {
  readonly name: string;
  readonly secret?: { readonly secretName: string };
  readonly configMap?: { readonly name: string };
}

export interface Pod {
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
  readonly serviceAccountName?: string;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: object;
  readonly automountServiceAccountToken: boolean;
  readonly enableServiceLinks: boolean;
}

export function podOf(deployment: Manifest): Pod {
  return valuesAt(deployment, 'spec.template.spec')[0] as Pod;
}

function labelsOf(deployment: Manifest): Labels {
  return valuesAt(deployment, 'spec.template.metadata.labels')[0] as Labels;
}

/** The gateway's own: the chart may have a Redis beside it. */
export function gatewayOf(manifests: readonly Manifest[]): Manifest {
  const found = manifests.find((each) => each.kind === 'Deployment' && podOf(each).containers[0]?.name === 'gateway');
  if (found === undefined) throw new Error('no Deployment of the gateway was rendered');
  return found;
}

/** @param given Secrets and ConfigMaps that somebody else makes. What leads nowhere, a sentence each. */
export function referenceProblems(manifests: readonly Manifest[], given: ReadonlySet<string>): string[] {
  const deployments = manifests.filter(({ kind }) => kind === 'Deployment');
  const problems = deployments.flatMap((each) => podProblems(each, manifests, given));
  const say = (manifest: Manifest, sentence: string) =>
    problems.push(`${manifest.kind} ${manifest.metadata.name}: ${sentence}`);
  for (const manifest of manifests) {
    const selected = deployments.filter((each) => selects(selectorOf(manifest), labelsOf(each)));
    if (isAboutPods(manifest) && selected.length !== 1) say(manifest, `selects the pods of ${selected.length}`);
    const ports = selected.flatMap((each) => podOf(each).containers).flatMap((container) => container.ports);
    for (const name of portsLookedFor(manifest)) {
      if (typeof name === 'string' && !ports.some((port) => port.name === name)) say(manifest, `no port ${name}`);
    }
    if (manifest.kind === 'HorizontalPodAutoscaler') {
      const [target] = valuesAt(manifest, 'spec.scaleTargetRef.name');
      if (!deployments.some(({ metadata }) => metadata.name === target)) say(manifest, `no ${String(target)}`);
    }
    for (const { name, port } of servicesLookedFor(manifest)) {
      const services = manifests.filter((each) => each.kind === 'Service' && name(each));
      if (services.length !== 1) say(manifest, `finds ${services.length} Services`);
      if (!services.every((each) => valuesAt(each, 'spec.ports[].name').includes(port)))
        say(manifest, `no port ${port}`);
    }
  }
  return problems;
}

/** What says which pods it is about. */
function isAboutPods({ kind }: Manifest): boolean {
  return ['Deployment', 'Service', 'PodDisruptionBudget', 'NetworkPolicy'].includes(kind);
}

function selectorOf({ kind, ...manifest }: Manifest): Labels | undefined {
  if (kind === 'Service') return valuesAt(manifest, 'spec.selector')[0] as Labels;
  const [selector] = valuesAt(manifest, kind === 'NetworkPolicy' ? 'spec.podSelector' : 'spec?.selector?');
  return (selector as { matchLabels?: Labels } | undefined)?.matchLabels;
}

/** Ports of pods. */
function portsLookedFor(manifest: Manifest): unknown[] {
  if (manifest.kind === 'Service') return valuesAt(manifest, 'spec.ports[].targetPort');
  if (manifest.kind === 'NetworkPolicy') return valuesAt(manifest, 'spec.ingress[].ports[].port');
  if (manifest.kind !== 'Deployment') return [];
  const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'].flatMap((probe) =>
    ['httpGet', 'tcpSocket'].map((check) => `spec.template.spec.containers[].${probe}?.${check}?.port`),
  );
  return probes.flatMap((path) => valuesAt(manifest, path));
}

interface ServiceLookedFor {
  readonly name: (service: Manifest) => boolean;
  readonly port: string;
}

function servicesLookedFor(manifest: Manifest): ServiceLookedFor[] {
  if (manifest.kind === 'Ingress') {
    const backends = valuesAt(manifest, 'spec.rules[].http.paths[].backend.service');
    return (backends as { name: string; port: { name: string } }[]).map(({ name, port }) => ({
      name: ({ metadata }) => metadata.name === name,
      port: port.name,
    }));
  }
  if (manifest.kind !== 'ServiceMonitor') return [];
  const namespaces = valuesAt(manifest, 'spec.namespaceSelector.matchNames[]');
  return (valuesAt(manifest, 'spec.endpoints[].port') as string[]).map((port) => ({
    name: ({ metadata }) =>
      selects(selectorOf(manifest), metadata.labels) && namespaces.includes(metadata.namespace ?? ''),
    port,
  }));
}

function podProblems(deployment: Manifest, manifests: readonly Manifest[], given: ReadonlySet<string>): string[] {
  const pod = podOf(deployment);
  const problems: string[] = [];
  const exists = (kind: string, name: string) =>
    given.has(name) || manifests.some((each) => each.kind === kind && each.metadata.name === name);
  const want = (kind: string, name: string | undefined) => {
    if (name !== undefined && !exists(kind, name)) problems.push(`no ${kind} ${name}`);
  };
  for (const { secret, configMap } of pod.volumes) {
    want('Secret', secret?.secretName);
    want('ConfigMap', configMap?.name);
  }
  for (const { env = [], envFrom = [], volumeMounts, name } of pod.containers) {
    for (const { secretRef, configMapRef } of envFrom) {
      want('Secret', secretRef?.name);
      want('ConfigMap', configMapRef?.name);
    }
    const names = env.map((each) => each.name);
    if (new Set(names).size !== names.length) problems.push(`${name}: a variable is set twice`);
    for (const mount of volumeMounts) {
      if (!pod.volumes.some((volume) => volume.name === mount.name)) problems.push(`${name}: no volume ${mount.name}`);
    }
  }
  if (pod.serviceAccountName !== 'default') want('ServiceAccount', pod.serviceAccountName);
  return problems.map((problem) => `${deployment.metadata.name}: ${problem}`);
}
