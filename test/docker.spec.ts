import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './support/checkout.js';
import { Client } from './support/client.js';
import { buildContext, parseDockerfile, type Instruction, type Stage } from './support/dockerfile.js';
import { APP } from './support/gateway.js';
import { HttpApi } from './support/http-api.js';
import { ImageBuild, isRoot } from './support/image-build.js';
import { Running } from './support/process.js';

/** Two installations and a build. */
const BUILD_TIMEOUT_MS = 400_000;

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const stages = parseDockerfile(read('Dockerfile'));
const last = stages.at(-1) as Stage;

function find(stage: Stage, name: string): Instruction | undefined {
  return stage.instructions.findLast((instruction) => instruction.name === name);
}

describe('The Dockerfile', () => {
  const build = new ImageBuild(stages);
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
