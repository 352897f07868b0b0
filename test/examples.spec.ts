import { cp, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './support/checkout.js';
import { Client } from './support/client.js';
import { installPacked, INSTALL_TIMEOUT_MS } from './support/packed.js';
import { Running } from './support/process.js';
import { mortal } from './support/redis.js';

/** Compiling, and tests with real clients, on a machine whose cores are busy with other tests. */
const EXAMPLE_TIMEOUT_MS = 400_000;
const EXAMPLES = join(ROOT, 'examples');
/** An application in front of a gateway instead of around one: what it does is tested in test/browser. */
const CLIENT = 'browser-chat';
const PACKAGE = 'node_modules/pogo-gateway';
const APP = { id: '1', key: 'example-key', secret: 'never-to-be-printed' };
const COMMON_ENV = {
  POGO_WS_HOST: '127.0.0.1',
  POGO_WS_PORT: '0',
  POGO_WS_METRICS_PORT: 'off',
  POGO_WS_APP_ID: APP.id,
  POGO_WS_APP_KEY: APP.key,
  POGO_WS_APP_SECRET: APP.secret,
};

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
}

/** What somebody does who tries an example out. */
interface Trial {
  readonly env: Readonly<Record<string, string>>;
  serves(port: number, folder: string, env: Readonly<Record<string, string>>): Promise<void>;
}

const TRIALS: Readonly<Record<string, Trial>> = {
  'custom-auth-provider': {
    env: { ...COMMON_ENV, JWT_ISSUER: 'https://id.example', JWT_SECRET: `never-to-be-printed-${'s'.repeat(32)}` },
    async serves(port, folder, env) {
      const token = run(folder, ['run', '--silent', 'token', '--', 'ada'], env);
      expect((await token.ending).code).toBe(0);
      const client = await connect(port, APP);
      const auth = token.output.trim().split('\n').at(-1);
      client.send({ event: 'pusher:subscribe', data: { channel: 'presence-lobby', auth } });
      expect((await client.receive('pusher_internal:subscription_succeeded')).data).toContain('"name":"Ada"');
      client.send({ event: 'pusher:subscribe', data: { channel: 'private-lobby', auth: `${auth ?? ''}x` } });
      expect((await client.receive('pusher:subscription_error')).data).toMatchObject({ status: 401 });
      await client.disconnect();
    },
  },
  'custom-ports': {
    env: COMMON_ENV,
    async serves(port) {
      const client = await connect(port, APP);
      await client.subscribe('presence-desk', { user_id: 'ada' });
      await client.disconnect();
    },
  },
  'sql-app-provider': {
    env: { POGO_WS_HOST: '127.0.0.1', POGO_WS_PORT: '0', ADMIN_TOKEN: `never-to-be-printed-${'t'.repeat(32)}` },
    async serves(port, _folder, env) {
      const { status } = await fetch(`http://127.0.0.1:${port}/admin/apps/shop`, {
        method: 'PUT',
        headers: {
          Authorization: `Bearer ${env['ADMIN_TOKEN'] ?? ''}`,
          'Content-Type': 'application/json',
        },
        body: JSON.stringify({ key: 'shop-key', secret: APP.secret }),
      });
      expect(status).toBe(204);
      const client = await connect(port, { key: 'shop-key', secret: APP.secret });
      await client.subscribe('private-orders');
      await client.disconnect();
    },
  },
};

const running: Running[] = [];
afterEach(() => {
  for (const each of running.splice(0)) each.cleanUp();
});

/** npm in an example, with nothing of this process's own npm in its environment. */
function run(folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const process = new Running(...mortal('npm', args), { cwd: folder, env });
  running.push(process);
  return process;
}

function connect(port: number, app: { readonly key: string; readonly secret: string }): Promise<Client> {
  return new Client(`ws://127.0.0.1:${port}/app/${app.key}?protocol=7`, { app }).established();
}

const readJson = async <T>(path: string) => JSON.parse(await readFile(path, 'utf8')) as T;

/** Package → version and hash, without the gateway's own and the root. */
function contentsOf({ packages }: Lock): Record<string, string> {
  const others = Object.entries(packages).filter(([path]) => path !== '' && path !== PACKAGE);
  return Object.fromEntries(
    others.map(([path, { version, integrity }]) => [path, `${version ?? ''} ${integrity ?? ''}`]),
  );
}

it('tries out every example', () => {
  const names = readdirSync(EXAMPLES).filter((name) => existsSync(join(EXAMPLES, name, 'package.json')));
  // The last has a test of its own, test/laravel-echo-example.spec.ts.
  expect([...Object.keys(TRIALS), CLIENT, 'laravel-echo'].toSorted()).toEqual(names.toSorted());
});

describe(`examples/${CLIENT}`, () => {
  const source = join(EXAMPLES, CLIENT);

  it('asks for the very packages with which test/browser tries it out, and for no other', async () => {
    const { devDependencies } = await readJson<Manifest>(join(ROOT, 'package.json'));
    const { dependencies } = await readJson<Manifest>(join(source, 'package.json'));
    const ours = await readJson<Lock>(join(ROOT, 'package-lock.json'));
    const theirs = await readJson<Lock>(join(source, 'package-lock.json'));
    expect(Object.keys(dependencies)).toEqual(['laravel-echo', 'pusher', 'pusher-js']);
    for (const [dependency, version] of Object.entries(dependencies)) {
      expect([dependency, version]).toEqual([dependency, devDependencies[dependency]]);
      const path = `node_modules/${dependency}`;
      expect(theirs.packages[path]).toMatchObject({ version, integrity: ours.packages[path]?.integrity });
    }
  });

  it('has a lock file that names no registry', async () => {
    const text = await readFile(join(source, 'package-lock.json'), 'utf8');
    expect(text).not.toMatch(/"resolved"|registry|\.tgz/);
    const contents = Object.entries(contentsOf(JSON.parse(text) as Lock));
    expect(contents.filter(([, content]) => !/^\S+ sha512-/.test(content))).toEqual([]);
  });
});

describe.each(Object.entries(TRIALS))('examples/%s', (name, { env, serves }) => {
  const source = join(EXAMPLES, name);
  let folder: string;

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), `pogo-${name}-`)));
    const isSource = (path: string) => !['node_modules', 'dist'].includes(basename(path));
    await cp(source, folder, { recursive: true, filter: isSource });
    await installPacked(folder);
  }, INSTALL_TIMEOUT_MS);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('asks for exact versions, where it has a dependency in common with the gateway for the same', async () => {
    const gateway = await readJson<Manifest>(join(ROOT, 'package.json'));
    const { dependencies, devDependencies } = await readJson<Manifest>(join(source, 'package.json'));
    const ours: Record<string, string> = {
      ...gateway.devDependencies,
      ...gateway.dependencies,
      [gateway.name]: gateway.version,
    };
    for (const [dependency, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      expect([dependency, version]).toEqual([dependency, expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
      expect([dependency, version]).toEqual([dependency, ours[dependency] ?? version]);
    }
    expect(dependencies[gateway.name]).toBe(gateway.version);
  });

  it('has a lock file that is up to date (`node scripts/lock-examples.mjs`) and names no registry', async () => {
    const text = await readFile(join(source, 'package-lock.json'), 'utf8');
    expect(text).not.toMatch(/"resolved"|registry|\.tgz/);
    const committed = contentsOf(JSON.parse(text) as Lock);
    expect(committed).toEqual(contentsOf(await readJson<Lock>(join(folder, 'package-lock.json'))));
    expect(Object.entries(committed).filter(([, content]) => !/^\S+ sha512-/.test(content))).toEqual([]);
  });

  it('has one copy of Nest, which it shares with the gateway', () => {
    expect(existsSync(join(folder, PACKAGE, 'package.json'))).toBe(true);
    expect(existsSync(join(folder, PACKAGE, 'node_modules'))).toBe(false);
  });

  it(
    'compiles, passes its own tests, and starts and serves a client',
    async () => {
      const tests = run(folder, ['test']);
      const { code } = await tests.ending;
      expect([code, tests.output]).toEqual([0, expect.stringMatching(/pass [1-9]/)]);
      for (const word of ['fail', 'cancelled', 'skipped', 'todo']) expect(tests.output).toContain(` ${word} 0\n`);

      const server = run(folder, ['start'], env);
      const [, port] = await server.printed(/listening on ws:\/\/127\.0\.0\.1:(\d+)\//);
      await serves(Number(port), folder, env);
      server.killGroup('SIGTERM');
      await server.gone();
      expect(server.output).not.toContain('never-to-be-printed');
    },
    EXAMPLE_TIMEOUT_MS,
  );
});
