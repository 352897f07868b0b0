import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gatewayOf, podOf, type Container } from './kubernetes-references.js';
import { contentOf, type Manifest } from './kubernetes.js';

/** Secrets and ConfigMaps that somebody else makes: name → key → value. */
export type Given = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Variables whose values are paths in the container. */
const PATHS = ['POGO_WS_CONFIG', 'POGO_WS_TLS_CERT', 'POGO_WS_TLS_KEY'];

/**
 * The environment that the gateway gets in its pod. Files that it names are written below `folder`, and named there: what
 * is not mounted is not there.
 */
export function podEnvironment(manifests: readonly Manifest[], given: Given, folder: string): Record<string, string> {
  const pod = podOf(gatewayOf(manifests));
  const [container] = pod.containers as readonly [Container];
  const heldBy = (name: string): Readonly<Record<string, string>> => {
    const manifest = manifests.find(
      ({ kind, metadata }) => (kind === 'Secret' || kind === 'ConfigMap') && metadata.name === name,
    );
    return manifest === undefined ? (given[name] ?? {}) : contentOf(manifest);
  };
  const environment: Record<string, string> = {};
  for (const { secretRef, configMapRef } of container.envFrom ?? []) {
    Object.assign(environment, heldBy(secretRef?.name ?? configMapRef?.name ?? ''));
  }
  for (const { name, value } of container.env ?? []) environment[name] = value;
  for (const { name, mountPath } of container.volumeMounts) {
    const volume = pod.volumes.find((each) => each.name === name);
    const source = volume?.secret?.secretName ?? volume?.configMap?.name;
    for (const [key, content] of Object.entries(source === undefined ? {} : heldBy(source))) {
      write(join(folder, mountPath, key), content);
    }
  }
  for (const name of PATHS) {
    const path = environment[name];
    if (path !== undefined) environment[name] = join(folder, path);
  }
  return environment;
}

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, { mode: 0o440 });
}
