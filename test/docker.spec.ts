import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SETTING_KEYS } from '../apps/gateway/src/config/settings.js';
import { ROOT } from './support/checkout.js';
import { Client } from './support/client.js';
import { buildContext, parseDockerfile, type Instruction, type Stage } from './support/dockerfile.js';
import { APP } from './support/gateway.js';
import { HttpApi } from './support/http-api.js';
import { Running } from './support/process.js';

/** Two installations and a build. */
const BUILD_TIMEOUT_MS = 400_000;
const NOBODY = 65_534;
const execute = promisify(execFile);
const isRoot = process.getuid?.() === 0;

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const stages = parseDockerfile(read('Dockerfile'));
const last = stages.at(-1) as Stage;

function find(stage: Stage, name: string): Instruction | undefined {
  return stage.instructions.findLast((instruction) => instruction.name === name);
}

/** Carries out what an engine would, each stage in a folder of its own. */
class Build {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'pogo-docker-')));
  readonly context: readonly string[];
  private readonly home = join(this.folder, 'home');

  constructor() {
    // What somebody has who has cloned it, with the changes that are not committed yet.
    const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    this.context = buildContext(
      files
        .trim()
        .split('\n')
        .filter((path) => existsSync(join(ROOT, path))),
      read('.dockerignore'),
    );
    mkdirSync(this.home);
  }

  /** Not synchronous: the worker has to answer vitest meanwhile. */
  async run(): Promise<void> {
    for (const stage of stages) await this.runStage(stage);
  }

  async remove(): Promise<void> {
    await execute('rm', ['-rf', this.folder]);
  }

  root(stage: string): string {
    return join(this.folder, `stage-${stage}`);
  }

  environment(stage: Stage): Record<string, string> {
    const own = stage.instructions
      .filter(({ name }) => name === 'ENV')
      .map(({ text }) => text.split('=', 2) as [string, string]);
    const outside = {
      PATH: process.env['PATH'] ?? '',
      HOME: this.home,
      TMPDIR: this.home,
      npm_config_cache: join(this.home, 'npm'),
    };
    return { ...outside, ...Object.fromEntries(own) };
  }

  private async runStage(stage: Stage): Promise<void> {
    const root = this.root(stage.name);
    const base = stages.find(({ name }) => name === stage.from);
    if (base === undefined) mkdirSync(root);
    // Links: the files of a stage do not change when it is done.
    else await execute('cp', ['-al', this.root(base.name), root]);
    let workDir = root;
    for (const step of base === undefined ? stage.instructions : [...inherited(base), ...stage.instructions]) {
      if (step.name === 'WORKDIR') mkdirSync((workDir = join(root, step.text)), { recursive: true });
      else if (step.name === 'COPY') await this.copy(step, root, workDir);
      else if (step.name === 'RUN') await this.execute(step.text, workDir, stage);
    }
  }

  private async copy({ flags, text }: Instruction, root: string, workDir: string): Promise<void> {
    const paths = text.split(/\s+/);
    const target = paths.pop() ?? '';
    const isFolder = target.endsWith('/');
    const to = target.startsWith('/') ? join(root, target) : join(workDir, target);
    for (const path of paths) {
      const { from } = flags;
      if (from !== undefined) {
        await execute('cp', ['-al', join(this.root(from), path), isFolder ? join(to, basename(path)) : to]);
        continue;
      }
      const files = this.context.filter((file) => file === path || file.startsWith(`${path}/`));
      if (files.length === 0) throw new Error(`COPY ${path}: the build context does not have it`);
      for (const file of files) {
        const place =
          file === path ? (isFolder ? join(to, basename(path)) : to) : join(to, file.slice(path.length + 1));
        mkdirSync(dirname(place), { recursive: true });
        cpSync(join(ROOT, file), place);
      }
    }
  }

  /** As nobody, so that a step that needs more fails here. */
  private async execute(command: string, workDir: string, stage: Stage): Promise<void> {
    if (isRoot)
      for (const folder of [workDir, this.home]) await execute('chown', ['-R', `${NOBODY}:${NOBODY}`, folder]);
    if (isRoot) chmodSync(this.folder, 0o755);
    const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
    try {
      await execute('sh', ['-c', command], { cwd: workDir, env: this.environment(stage), ...user });
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      throw new Error(`RUN ${command} failed:\n${stdout ?? ''}\n${stderr ?? ''}`, { cause: error });
    }
  }
}

function inherited(base: Stage): Instruction[] {
  return base.instructions.filter(({ name }) => name === 'WORKDIR');
}

describe('The Dockerfile', () => {
  const build = new Build();
  const app = join(build.root(last.name), 'app');
  beforeAll(() => build.run(), BUILD_TIMEOUT_MS);
  afterAll(() => build.remove(), BUILD_TIMEOUT_MS);

  /** As the container would be run: another user than the owner of the files, who cannot write any of them. */
  function inContainer(args: readonly string[], env: Record<string, string> = {}): Running {
    execFileSync('chown', ['-R', isRoot ? '0:0' : String(process.getuid?.() ?? 0), build.root(last.name)]);
    execFileSync('chmod', ['-R', 'a-w', app]);
    const asNobody = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...args] : args;
    const [command = '', ...rest] = asNobody;
    return new Running(command, rest, {
      cwd: app,
      env: { ...build.environment(last), POGO_WS_METRICS_PORT: 'off', ...env },
    });
  }

  const command = (name: string) => JSON.parse((find(last, name)?.text ?? '').replace(/^CMD /, '')) as string[];

  it('makes an image with what runs and nothing else', () => {
    expect(readdirSync(app).sort()).toEqual(['LICENSE', 'dist', 'healthcheck.mjs', 'node_modules', 'package.json']);
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
      string,
      Record<string, string>
    >;
    for (const name of Object.keys(dependencies ?? {}))
      expect(existsSync(join(app, 'node_modules', name)), name).toBe(true);
    for (const name of ['typescript', 'vitest', 'eslint', '@nestjs/cli', 'pusher-js']) {
      expect(devDependencies?.[name], name).toBeDefined();
      expect(existsSync(join(app, 'node_modules', name)), name).toBe(false);
    }
    const specs = readdirSync(join(app, 'dist'), { recursive: true, encoding: 'utf8' }).filter((path) =>
      /\.spec\.|^(test|bench)\//.test(path),
    );
    expect(specs).toEqual([]);
  });

  it('sends the engine what it copies, and no secret', () => {
    expect(build.context.length).toBeGreaterThan(100);
    expect(
      build.context.filter((path) =>
        /(^|\/)(\.env|\.git|node_modules|test|bench|docs)(\/|$)|\.pem$|\.spec\.ts$/.test(path),
      ),
    ).toEqual([]);
  });

  it(
    'serves as somebody who can write nothing, says that it is well, and ends with a drain',
    { timeout: 180_000 },
    async () => {
      const server = inContainer(command('CMD'), {
        POGO_WS_APP_ID: APP.id,
        POGO_WS_APP_KEY: APP.key,
        POGO_WS_APP_SECRET: APP.secret,
        POGO_WS_HOST: '127.0.0.1',
        POGO_WS_PORT: '0',
      });
      try {
        const [, port = ''] = await server.printed(/listening on ws:\/\/127\.0\.0\.1:(\d+)/);
        const check = () => inContainer(command('HEALTHCHECK'), { POGO_WS_PORT: port }).ending;
        expect((await check()).code).toBe(0);
        const client = await new Client(`ws://127.0.0.1:${port}/app/${APP.key}`, { app: APP }).established();
        await client.subscribe('private-room');
        await new HttpApi(`http://127.0.0.1:${port}`, APP).publish('private-room', 'news', '1');
        await client.receive('news');
        server.kill('SIGTERM');
        expect((await client.closing()).code).toBe(4200);
        expect(await server.ending).toEqual({ code: 0, signal: null });
        expect((await check()).code).toBe(1);
      } finally {
        server.cleanUp();
      }
    },
  );
});

describe('The Dockerfile as it is written', () => {
  const texts = (stage: Stage | undefined) => stage?.instructions.map(({ name, text }) => `${name} ${text}`) ?? [];

  it('has the lock file in a layer of its own, before any source', () => {
    for (const name of ['dependencies', 'production']) {
      const steps = texts(stages.find((stage) => stage.name === name)).filter((text) => /^(COPY|RUN)/.test(text));
      expect(steps[0]).toBe('COPY package.json package-lock.json ./');
      expect(steps[1]).toMatch(/^RUN npm ci/);
    }
  });

  it('ends as an ordinary user, without a shell before the server', () => {
    const names = last.instructions.map(({ name }) => name);
    expect(find(last, 'USER')?.text).toBe('1000:1000');
    expect(names.lastIndexOf('COPY')).toBeLessThan(names.indexOf('USER'));
    expect(find(last, 'CMD')?.text).toMatch(/^\["node", /);
    expect(find(last, 'HEALTHCHECK')?.text).toMatch(/^--interval=\S+|^CMD \["node"/);
    expect(find(last, 'STOPSIGNAL')?.text).toBe('SIGTERM');
    expect(find(last, 'EXPOSE')?.text).toBe('8080 2019');
    expect(last.instructions.some(({ name }) => name === 'RUN')).toBe(false);
  });

  it('is not read by a parser that overlooks things', () => {
    expect(() => parseDockerfile('FROM a\nADD http://x /')).toThrow('ADD');
    expect(buildContext(['a/b.ts', 'a/b.spec.ts', 'c', 'd/a/b.ts'], '*\n!a\n**/*.spec.ts')).toEqual(['a/b.ts']);
  });
});

interface Service {
  readonly environment?: Readonly<Record<string, string>>;
  readonly stop_grace_period?: string;
  readonly healthcheck?: object;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly ports?: readonly string[];
}

describe('docker-compose.yml', () => {
  const { services, networks } = parse(read('docker-compose.yml'), { merge: true }) as {
    services: Record<string, Service>;
    networks: { pogo: { ipam: { config: { subnet: string }[] } } };
  };
  const gateways = ['gateway-1', 'gateway-2'].map((name) => services[name] as Service);

  it('has two gateways, Redis and a proxy, which alone is reached from outside', () => {
    expect(Object.keys(services)).toEqual(['gateway-1', 'gateway-2', 'redis', 'proxy']);
    expect(
      Object.entries(services)
        .filter(([, { ports }]) => ports !== undefined)
        .map(([name]) => name),
    ).toEqual(['proxy']);
    for (const [name, { read_only: isReadOnly, cap_drop: dropped }] of Object.entries(services)) {
      expect([name, isReadOnly, dropped]).toEqual([name, true, ['ALL']]);
    }
    // Those of the gateways are in the image.
    for (const name of ['redis', 'proxy']) expect(services[name]?.healthcheck, name).toBeDefined();
  });

  it('sets what the gateways know, trusts the proxy’s network, and no secret has a default', () => {
    for (const { environment = {} } of gateways) {
      for (const name of Object.keys(environment))
        expect(SETTING_KEYS).toContain(name.replace('POGO_WS_', '').toLowerCase());
      expect(environment['POGO_WS_TRUSTED_PROXIES']).toBe(networks.pogo.ipam.config[0]?.subnet);
      for (const name of ['POGO_WS_APP_KEY', 'POGO_WS_APP_SECRET']) expect(environment[name]).toMatch(/^\$\{\w+:\?/);
    }
  });

  it('gives them more time to stop than they take', () => {
    const seconds = (text = '') => Number(/^(\d+)s$/.exec(text)?.[1]);
    for (const { environment, stop_grace_period: grace } of gateways) {
      expect(seconds(grace)).toBeGreaterThan(seconds(environment?.['POGO_WS_SHUTDOWN_TIMEOUT']));
    }
  });

  it('has the proxy ask /ready, wait for WebSockets, and say who the client is', () => {
    const config = read('deploy/compose/haproxy.cfg');
    for (const line of [
      'option httpchk GET /ready',
      'timeout tunnel  1h',
      'option forwardfor',
      'http-request del-header X-Forwarded-For',
    ]) {
      expect(config).toContain(line);
    }
    for (const name of ['gateway-1', 'gateway-2']) expect(config).toContain(`server ${name} ${name}:8080`);
  });
});
