import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './support/checkout.js';
import { INSTALL_TIMEOUT_MS, installPacked, packOnce, type Packed } from './support/packed.js';

const execute = promisify(execFile);

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** What an application does with every entry of the package; it prints what it saw as JSON. */
const EMBEDDING = `
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { createGateway, GatewayModule, loadConfig } from 'pogo-gateway';
import { AuthProvider, HubEvents, HubService, PublishStatus } from 'pogo-gateway/hub';
import * as testing from 'pogo-gateway/hub/testing';
import { signChannel } from 'pogo-gateway/protocol';
import manifest from 'pogo-gateway/package.json' with { type: 'json' };

const config = loadConfig({
  POGO_WS_HOST: '127.0.0.1', POGO_WS_PORT: '0', POGO_WS_METRICS_PORT: 'off',
  POGO_WS_APP_ID: '1', POGO_WS_APP_KEY: 'key', POGO_WS_APP_SECRET: 'secret',
});
class Everybody extends AuthProvider {
  authorizeChannel() { return { decision: 'allow' }; }
  authenticateUser() { return { decision: 'not_mine' }; }
}
class Root {}
Module({ imports: [GatewayModule.forRoot({ config, providers: [{ provide: AuthProvider, useClass: Everybody }] })] })(Root);
const app = await createGateway(Root, { logger: false });
await app.listen(config.port, config.host);
const published = new Promise((resolve) => app.get(HubEvents).on('published', ({ events }) => resolve(events)));
const status = await app.get(HubService).publish('1', 'news', 'headline', '{"a":1}');
const answer = await fetch(\`http://127.0.0.1:\${app.getHttpServer().address().port}/up\`);
console.log(JSON.stringify({
  name: manifest.name, ok: status === PublishStatus.ok, events: await published, up: answer.status,
  provider: app.get(AuthProvider).constructor.name, suites: Object.keys(testing).filter((name) => name.endsWith('Contract')),
  signature: signChannel({ key: 'key', secret: 'secret' }, '1.2', 'private-a').split(':')[0],
}));
await app.close();
`;

/** Imports what it is told to; prints how many names each has as JSON. */
const IMPORTING = `
const counts = {};
for (const name of process.argv.slice(2)) {
  const options = name.endsWith('.json') ? { with: { type: 'json' } } : {};
  counts[name] = Object.keys(await import(name, options)).length;
}
console.log(JSON.stringify(counts));
`;

const TYPED = `
import { Module } from '@nestjs/common';
import { createGateway, GatewayModule, loadConfig, type GatewayConfig } from 'pogo-gateway';
import { AuthProvider, HubService, type ChannelAuthDecision, type PublishStatus } from 'pogo-gateway/hub';
import { brokerContract } from 'pogo-gateway/hub/testing';
import { parseChannelName, type ChannelName } from 'pogo-gateway/protocol';
import { PogoPublisher, PogoPublisherModule, type PogoPublisherOptions } from 'pogo-gateway/publisher';

class Nobody extends AuthProvider {
  authorizeChannel(): ChannelAuthDecision {
    return { decision: 'deny', reason: 'closed' };
  }
  authenticateUser(): { decision: 'not_mine' } {
    return { decision: 'not_mine' };
  }
}

const config: GatewayConfig = loadConfig({});

@Module({ imports: [GatewayModule.forRoot({ config, providers: [{ provide: AuthProvider, useClass: Nobody }] })] })
class Root {}

const app = await createGateway(Root);
export const status: PublishStatus = await app.get(HubService).publish('1', 'news', 'headline', 'data');
export const channel: ChannelName | 'malformed' | 'too_long' = parseChannelName('news', 200);
export const contract: (...parameters: Parameters<typeof brokerContract>) => void = brokerContract;
const options: PogoPublisherOptions = { secret: 'secret', tcp: { port: 6002 } };
export const publisher = PogoPublisherModule.forRoot(options);
export const published: Promise<PublishStatus> = app.get(PogoPublisher).publish('1', 'news', 'headline', { a: 1 });
// @ts-expect-error an address is needed
PogoPublisherModule.forRoot({ secret: 'secret' });
// @ts-expect-error the app's id is a string: the types are not any
void app.get(HubService).publish(1, 'news', 'headline', 'data');
`;

let folder: string;
let packed: Packed;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pogo-package-'));
  packed = await packOnce();
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'application', private: true, type: 'module' }));
  await installPacked(folder);
}, INSTALL_TIMEOUT_MS);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function manifest(): Promise<Manifest> {
  return JSON.parse(await readFile(join(installed(), 'package.json'), 'utf8')) as Manifest;
}

/** The TypeScript examples of pages that are shipped, as files of the application. */
async function writePagesExamples(): Promise<string[]> {
  const files: string[] = [];
  for (const page of ['README.md', 'docs/publishing.md']) {
    const text = await readFile(join(installed(), page), 'utf8');
    const examples = [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = '']) => code);
    expect(examples, page).not.toEqual([]);
    for (const [index, example] of examples.entries()) {
      const file = `${page.replace(/\W/g, '-')}-${index}.ts`;
      await writeFile(join(folder, file), example);
      files.push(file);
    }
  }
  return files;
}

const installed = () => join(folder, 'node_modules/pogo-gateway');

describe('the package', () => {
  it('ships what it exports, its licence and its documentation', async () => {
    const paths = packed.files.map(({ path }) => path);
    const exported = Object.values((await manifest()).exports).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : [entry.types, entry.default],
    );
    expect(paths).toEqual(expect.arrayContaining(exported.map((path) => path.replace('./', ''))));
    expect(paths).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'docs/configuration.md']));
  });

  it('ships no tests, no TypeScript sources and no build state', () => {
    const unwanted = packed.files.filter(({ path }) =>
      /\.spec\.|(?<!\.d)\.ts$|tsbuildinfo|^(test|scripts)\//.test(path),
    );
    expect(unwanted).toEqual([]);
  });

  it('ships source maps that carry their sources', async () => {
    const maps = packed.files.filter(({ path }) => path.endsWith('.map'));
    for (const { path } of maps) {
      const map = JSON.parse(await readFile(join(installed(), path), 'utf8')) as { sourcesContent?: string[] };
      expect([path, map.sourcesContent?.length]).toEqual([path, 1]);
    }
  });

  it('imports nothing but its own files, Node and its dependencies', async () => {
    const allowed = new Set(Object.keys((await manifest()).dependencies));
    const foreign = new Set<string>();
    for (const { path } of packed.files.filter(({ path }) => /\.(js|d\.ts)$/.test(path))) {
      const source = await readFile(join(installed(), path), 'utf8');
      for (const { fileName: name } of ts.preProcessFile(source).importedFiles) {
        if (!name.startsWith('.') && !isBuiltin(name) && !allowed.has(name)) foreign.add(`${path}: ${name}`);
      }
    }
    expect([...foreign]).toEqual([]);
  });

  it('can be imported by each of its names, and by none of its files', async () => {
    const names = Object.keys((await manifest()).exports).map((name) => join('pogo-gateway', name));
    expect(names).toEqual(expect.arrayContaining(['pogo-gateway', 'pogo-gateway/hub', 'pogo-gateway/publisher']));
    await writeFile(join(folder, 'names.mjs'), IMPORTING);
    const { stdout } = await execute(process.execPath, ['names.mjs', ...names], { cwd: folder });
    const imported = JSON.parse(stdout) as Record<string, number>;
    expect(Object.keys(imported)).toEqual(names);
    expect(Object.entries(imported).filter(([, count]) => count === 0)).toEqual([]);
    const file = 'pogo-gateway/dist/libs/hub/src/index.js';
    const failed = await execute(process.execPath, ['names.mjs', file], { cwd: folder }).catch(String);
    expect(failed).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });

  it('boots inside another Nest application, publishes, and lets it replace a port', async () => {
    await writeFile(join(folder, 'application.mjs'), EMBEDDING);
    const { stdout } = await execute(process.execPath, ['application.mjs'], { cwd: folder });
    expect(JSON.parse(stdout)).toEqual({
      name: 'pogo-gateway',
      ok: true,
      events: 1,
      up: 200,
      provider: 'Everybody',
      suites: expect.arrayContaining([
        'appProviderContract',
        'authProviderContract',
        'brokerContract',
        'channelDirectoryContract',
      ]) as unknown,
      signature: 'key',
    });
  });

  it.each(['nodenext', 'bundler'])(
    'type-checks in an application that resolves modules as %s',
    async (resolution) => {
      await writeFile(join(folder, 'application.ts'), TYPED);
      const files = ['application.ts', ...(await writePagesExamples())];
      const compilerOptions = {
        strict: true,
        noEmit: true,
        target: 'es2023',
        module: resolution === 'nodenext' ? 'nodenext' : 'esnext',
        moduleResolution: resolution,
        experimentalDecorators: true,
        skipLibCheck: true,
        typeRoots: [join(ROOT, 'node_modules/@types')],
        types: ['node'],
      };
      const path = join(folder, `tsconfig.${resolution}.json`);
      await writeFile(path, JSON.stringify({ compilerOptions, files }));
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
      const { stdout } = await execute(process.execPath, [tsc, '-p', path], { cwd: folder }).catch(
        (error: unknown) => error as { stdout: string },
      );
      expect(stdout).toBe('');
    },
    180_000,
  );
});
