import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { ROOT } from './checkout.js';
import type { Manifest } from './kubernetes.js';

export const CHART = join(ROOT, 'charts/pogo-gateway');
/** Building Helm takes minutes, where `npm test` has not done it before. */
const HELM_TIMEOUT_MS = 960_000;
/** A release of Kubernetes that knows all that the chart writes. A Helm that Go has built takes itself for a very old one. */
export const KUBERNETES = '1.34.0';

interface HelmTool {
  provideHelm(): Promise<{
    readonly POGO_TEST_HELM?: string;
    readonly POGO_TEST_HELM_PROBLEM?: string;
  }>;
}

export interface RenderOptions {
  /** Names of files below ci/. */
  readonly files?: readonly string[];
  /** More values, as JSON; over those of the files. */
  readonly values?: object;
  readonly release?: string;
  readonly namespace?: string;
  readonly kubernetes?: string;
}

interface Result {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** The real Helm. It reads no configuration of whoever runs the tests, and knows no cluster. */
export class Helm {
  private constructor(
    private readonly path: string,
    private readonly home: string,
  ) {}

  /** Or the sentence why there is none. */
  static async find(): Promise<Helm | string> {
    const { POGO_TEST_HELM: path, POGO_TEST_HELM_PROBLEM: problem } = await toolOf();
    if (path === undefined) return problem ?? 'there is no Helm';
    return new Helm(path, await mkdtemp(join(tmpdir(), 'pogo-helm-')));
  }

  async remove(): Promise<void> {
    await rm(this.home, { recursive: true, force: true });
  }

  /** @throws Error with what Helm said. */
  async template(options: RenderOptions = {}): Promise<Manifest[]> {
    const { code, output, errors } = await this.render(options);
    if (code !== 0) throw new Error(errors);
    return parse(output);
  }

  /** Why nothing was rendered; "" when it was. */
  async refusal(options: RenderOptions): Promise<string> {
    const { code, errors } = await this.render(options);
    return code === 0 ? '' : errors;
  }

  async lint(file: string): Promise<Result> {
    return this.run('lint', CHART, '--strict', '--kube-version', KUBERNETES, '--values', join(CHART, 'ci', file));
  }

  /** What an installation prints. Helm renders it for a cluster only, so here it is what a manifest holds. */
  async notes(options: RenderOptions): Promise<string> {
    const chart = await mkdtemp(join(this.home, 'chart-'));
    await cp(CHART, chart, { recursive: true });
    const notes = await readFile(join(CHART, 'templates/NOTES.txt'), 'utf8');
    const manifest =
      `{{- define "notes" }}\n${notes}{{- end }}\n` +
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: notes\ndata:\n' +
      '  notes: |\n    {{- include "notes" . | nindent 4 }}\n';
    await writeFile(join(chart, 'templates/notes.yaml'), manifest);
    const { code, output, errors } = await this.render(options, chart, '--show-only', 'templates/notes.yaml');
    if (code !== 0) throw new Error(errors);
    return parse(output)[0]?.data?.['notes'] ?? '';
  }

  private async render(
    { files = [], values = {}, release = 'pogo', namespace = 'realtime', kubernetes = KUBERNETES }: RenderOptions,
    chart = CHART,
    ...more: string[]
  ): Promise<Result> {
    const folder = await mkdtemp(join(this.home, 'values-'));
    const own = join(folder, 'values.json');
    await writeFile(own, JSON.stringify(values));
    const paths = [...files.map((file) => join(CHART, 'ci', file)), own].flatMap((path) => ['--values', path]);
    const place = ['--namespace', namespace, '--kube-version', kubernetes];
    return this.run('template', release, chart, ...place, ...paths, ...more);
  }

  private run(...args: string[]): Promise<Result> {
    const folders = { HELM_CACHE_HOME: 'cache', HELM_CONFIG_HOME: 'config', HELM_DATA_HOME: 'data' };
    const env = {
      PATH: process.env['PATH'] ?? '',
      KUBECONFIG: join(this.home, 'no-kubeconfig'),
      ...Object.fromEntries(Object.entries(folders).map(([name, folder]) => [name, join(this.home, folder)])),
    };
    return new Promise((resolve, reject) => {
      execFile(this.path, args, { env, maxBuffer: 16_777_216 }, (error, output, errors) => {
        if (error !== null && typeof error.code !== 'number')
          reject(new Error(`${this.path} does not run`, { cause: error }));
        else resolve({ code: Number(error?.code ?? 0), output, errors });
      });
    });
  }
}

/** The Helm of a spec file, from its first hook on. Without one every test is skipped, with the reason. */
export function useHelm(): () => Helm | undefined {
  let helm: Helm | undefined;
  let problem = '';
  beforeAll(async () => {
    const found = await Helm.find();
    if (typeof found === 'string') problem = found;
    else helm = found;
  }, HELM_TIMEOUT_MS);
  afterAll(() => helm?.remove());
  beforeEach((context) => {
    if (helm === undefined) context.skip(problem);
  });
  return () => helm;
}

/** What scripts/test.mjs has found, or where vitest runs by itself what that script would find. */
async function toolOf(): Promise<Awaited<ReturnType<HelmTool['provideHelm']>>> {
  const { POGO_TEST_HELM: path, POGO_TEST_HELM_PROBLEM: problem } = process.env;
  if (problem !== undefined) return { POGO_TEST_HELM_PROBLEM: problem };
  if (path !== undefined && existsSync(path)) return { POGO_TEST_HELM: path };
  const { provideHelm } = (await import(pathToFileURL(join(ROOT, 'scripts/lib/helm.mjs')).href)) as HelmTool;
  return provideHelm();
}

/** By the rules of YAML 1.1, as Helm and Kubernetes read it. */
function parse(output: string): Manifest[] {
  return parseAllDocuments(output, { uniqueKeys: true, version: '1.1' }).flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const manifest = document.toJS() as Manifest | null;
    return manifest === null ? [] : [manifest];
  });
}
