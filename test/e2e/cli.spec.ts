import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTcp, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildOnce } from '../support/build.js';
import { ROOT } from '../support/checkout.js';
import { pogo } from '../support/cli.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { APP, TestGateway } from '../support/gateway.js';
import { Running } from '../support/process.js';
import { freePort } from '../support/redis.js';
import { testPair } from '../support/tls/certificates.js';

let gateway: TestGateway;
let base: string;
let folder: string;
/** Where nobody is. */
let closed: string;
const env = { POGO_WS_APP_KEY: APP.key, POGO_WS_APP_SECRET: APP.secret, POGO_WS_APP_ID: APP.id };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pogo-cli-'));
  gateway = await TestGateway.start({ settings: { allowed_origins: 'https://good.example' } });
  closed = `http://127.0.0.1:${await freePort()}`;
  base = `http://127.0.0.1:${gateway.port}`;
});
afterAll(async () => {
  await gateway.stop();
  await rm(folder, { recursive: true });
});

describe('pogo', () => {
  it('says what there is, and what is wrong, with exit codes', async () => {
    const help = await pogo(['--help']);
    expect([help.code, help.err]).toEqual([0, '']);
    for (const command of [
      'start',
      'config',
      'doctor',
      'publish',
      'channels',
      'users',
      'terminate',
      'sign',
      'bench',
      'laravel:install',
    ]) {
      expect(help.out).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
      const own = await pogo([command, '--help']);
      expect([command, own.code, own.out.length > 100]).toEqual([command, 0, true]);
    }
    expect(await pogo(['publsh'])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('Did you mean publish?') as string,
    });
    expect(await pogo(['publish'])).toMatchObject({
      code: 2,
      err: expect.stringContaining("missing required argument 'channels'") as string,
    });
    expect((await pogo(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it(
    'runs as the bin of the package, and starts the server, which a signal ends',
    { timeout: START_TIMEOUT_MS },
    async () => {
      await buildOnce();
      const bin = join(ROOT, 'dist/apps/gateway/src/cli/main.js');
      const server = new Running(
        process.execPath,
        [bin, 'start', '--port=0', '--host', '127.0.0.1', '--metrics-port', 'off'],
        { cwd: folder, env },
      );
      try {
        await server.printed(/listening on ws:\/\/127\.0\.0\.1:\d+\/app\//);
        server.kill('SIGTERM');
        expect(await server.ending).toEqual({ code: 0, signal: null });
      } finally {
        server.cleanUp();
      }
      const wrong = new Running(process.execPath, [bin, 'start', '--port=eighty'], { cwd: folder, env });
      expect((await wrong.ending).code).toBe(78);
      expect(wrong.output).toContain('--port = "eighty"');
      // For documentation: no machine has it.
      const nobodys = ['start', '--port=0', '--metrics-host=192.0.2.1', '--metrics-port=0'];
      const elsewhere = new Running(process.execPath, [bin, ...nobodys], { cwd: folder, env });
      expect((await elsewhere.ending).code).toBe(1);
      expect(elsewhere.output).toContain('POGO_WS_HOST and POGO_WS_METRICS_HOST must be addresses of this machine');
    },
  );
});

describe('pogo config', () => {
  it('checks', async () => {
    expect(await pogo(['config', 'check'], env)).toEqual({
      code: 0,
      out: 'The configuration is valid: app 1 on 0.0.0.0:8080.\n',
      err: '',
    });
    const listens = async (args: string[], environment: Record<string, string> = env) => {
      return (JSON.parse((await pogo(['config', 'check', '--json', ...args], environment)).out) as { listens: string })
        .listens;
    };
    expect(await listens(['--host', '::'])).toBe('[::]:8080');
    expect(await listens([], {})).toBe('127.0.0.1:8080');
    const wrong = await pogo(['config', 'check', '--port', 'eighty'], { ...env, POGO_WS_PIN_PERIOD: '5s' });
    expect(wrong).toMatchObject({ code: 78, out: '' });
    expect(wrong.err).toContain('--port = "eighty": must be');
    expect(wrong.err).toContain('did you mean POGO_WS_PING_PERIOD?');
    const json = await pogo(['config', 'check', '--json', '--port', 'eighty'], env);
    expect([json.code, JSON.parse(json.out)]).toEqual([
      78,
      { ok: false, problems: [expect.stringContaining('eighty')] },
    ]);
  });

  it('takes no secret from the command line, and says why', async () => {
    const { code, out, err } = await pogo(['config', 'check', '--app-secret', 'never-shown'], env);
    expect([code, out]).toEqual([78, '']);
    expect(err).toContain('--app-secret: everybody on the machine can read a command line: use POGO_WS_APP_SECRET');
    expect(err).not.toContain('never-shown');
    expect((await pogo(['start', '--help'])).out).not.toMatch(/--app-secret|--redis-password/);
  });

  it('prints what is in force and who said so, and no secret', async () => {
    const file = join(folder, 'pogo.yaml');
    await writeFile(
      file,
      'ping_period: 5000ms\nmax_event_bytes: 1MiB\napps: [{ id: shop, key: shop-key, secret: never-shown }]',
    );
    const { code, out } = await pogo(['config', 'print', '--config', file, '--port', '9000'], {
      ...env,
      POGO_WS_REDIS_URL: 'redis://:never-shown@r.example',
    });
    expect(code).toBe(0);
    const lines = out.split('\n');
    expect(lines).toContain('port = 9000    # --port');
    expect(lines).toContain('ping_period = 5s    # pogo.yaml: ping_period');
    expect(lines).toContain('max_event_bytes = 1MiB    # pogo.yaml: max_event_bytes');
    expect(lines).toContain('redis_url = <redacted>    # POGO_WS_REDIS_URL');
    expect(lines).toContain('pong_wait = 1m');
    expect(lines).toContain('app shop: key shop-key');
    expect(out).not.toContain('never-shown');
    expect(out).not.toContain(APP.secret);
    const json = JSON.parse((await pogo(['config', 'print', '--json'], env)).out) as {
      settings: unknown[];
      apps: unknown[];
    };
    expect(json.settings).toContainEqual({ setting: 'app_secret', value: '<redacted>', source: 'POGO_WS_APP_SECRET' });
    expect(json.apps).toEqual([{ id: '1', key: APP.key, secret: '<redacted>', enabled: true, webhooks: [] }]);
  });

  it('takes what is missing from a .env', async () => {
    const file = join(folder, 'laravel.env');
    await writeFile(file, 'REVERB_APP_ID="7"\nREVERB_APP_KEY=k\nREVERB_APP_SECRET=s\nREVERB_SERVER_PORT=9001\n');
    expect((await pogo(['config', 'check', '--env-file', file])).out).toContain('app 7 on 0.0.0.0:9001');
    expect(await pogo(['config', 'check', '--env-file', join(folder, 'none')])).toMatchObject({
      code: 2,
      err: expect.stringContaining('ENOENT') as string,
    });
  });
});

describe('The commands for a running server', () => {
  const on = (...args: string[]) => pogo([...args, '--url', base], env);

  it('publish, list channels and users, and end connections', async () => {
    const client = await gateway.connect();
    await client.subscribe('orders');
    await client.subscribe('presence-desk', { user_id: 'ada' });
    await client.signin({ id: 'ada' });
    expect(await on('publish', 'orders', 'created', '{"id":1}')).toEqual({
      code: 0,
      out: 'published created to orders\n',
      err: '',
    });
    expect((await client.receive('created')).data).toBe('{"id":1}');
    await pogo(['publish', 'orders', 'piped', '-', '--url', base], env, 'from a pipe');
    expect((await client.receive('piped')).data).toBe('from a pipe');
    expect((await on('channels')).out.trim().split('\n').sort()).toEqual(['orders', 'presence-desk']);
    expect((await on('channels', '--prefix', 'presence-', '--info', 'user_count')).out).toBe(
      'presence-desk user_count=1\n',
    );
    expect((await on('channels', 'presence-desk', '--info', 'user_count')).out).toContain('user_count=1');
    expect(await on('users', 'presence-desk')).toMatchObject({ code: 0, out: 'ada\n' });
    expect(JSON.parse((await on('users', 'presence-desk', '--json')).out)).toEqual({ users: [{ id: 'ada' }] });
    expect((await on('terminate', 'ada')).code).toBe(0);
    expect((await client.closing()).code).toBe(4009);
  });

  it('say what the server says, or that there is none', async () => {
    expect(await on('users', 'orders')).toMatchObject({
      code: 1,
      err: expect.stringContaining('HTTP 400: Users can only be retrieved') as string,
    });
    const json = await on('users', 'orders', '--json');
    expect([json.code, JSON.parse(json.out)]).toMatchObject([1, { ok: false, status: 400 }]);
    expect(await pogo(['channels', '--url', closed], env)).toMatchObject({
      code: 1,
      err: `${closed}: nobody listens there\n`,
    });
    expect(await pogo(['channels', '--url', 'ftp://a'], env)).toMatchObject({ code: 2 });
    expect(await pogo(['channels'], {})).toMatchObject({
      code: 2,
      err: expect.stringContaining('which app?') as string,
    });
  });

  it('measure with a load that is bounded', async () => {
    const { code, out, err } = await on(
      'bench',
      '--connections',
      '20',
      '--channels',
      '2',
      '--rate',
      '20',
      '--seconds',
      '1',
      '--json',
    );
    expect([code, JSON.parse(out)]).toMatchObject([
      0,
      { connected: 20, published: 20, refused: 0, expected: 200, delivered: 200 },
    ]);
    expect(err).toContain('published 20 of 20');
    expect(await pogo(['bench', 'https://ws.example.com'], env)).toMatchObject({
      code: 2,
      err: expect.stringContaining('--remote') as string,
    });
    expect(await on('bench', '--connections', '1000000')).toMatchObject({ code: 2 });
  });
});

describe('pogo doctor', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  });

  /** Something that is not the gateway, or stands before it. */
  async function other(
    answer: (path: string) => { status: number; body?: string; headers?: Record<string, string> },
  ): Promise<string> {
    const server = createServer((request, response) => {
      const { status, body = '', headers = {} } = answer(request.url ?? '');
      response.writeHead(status, headers).end(body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async function findings(
    url: string,
    more: readonly string[] = [],
    environment: Record<string, string> = env,
  ): Promise<{ code: number; wrong: string[] }> {
    const { code, out } = await pogo(['doctor', url, '--json', '--timeout', '2', ...more], environment);
    const { findings: all } = JSON.parse(out) as { findings: { check: string; state: string; sentence: string }[] };
    return {
      code,
      wrong: all.filter(({ state }) => state === 'wrong').map(({ check, sentence }) => `${check}: ${sentence}`),
    };
  }

  it('finds nothing wrong with a server that is well, whatever form its URL has', async () => {
    const { code, out } = await pogo(
      ['doctor', `${base.replace('http', 'ws')}/app/${APP.key}`, '--origin', 'https://good.example'],
      env,
    );
    expect(out).not.toContain('WRONG');
    expect(code).toBe(0);
    for (const check of ['server', 'clock', 'websocket', 'publish', 'delivery', 'origin'])
      expect(out).toMatch(new RegExp(`^ok\\s+${check} `, 'm'));
    expect(out).not.toContain(APP.secret);
  });

  it('takes an address that was pasted for its origin: browsers send no path', async () => {
    expect((await findings(base, ['--origin', 'https://good.example/'])).wrong).toEqual([]);
    expect((await findings(base, ['--origin', 'https://good.example/shop?a=b'])).wrong).toEqual([]);
    expect(await pogo(['doctor', base, '--origin', 'good.example'], env)).toMatchObject({
      code: 2,
      err: '"good.example" is no origin: https://shop.example\n',
    });
  });

  it.each<[string, readonly string[], string]>([
    ['a wrong secret', ['--secret', 'wrong'], 'publish: the secret is wrong'],
    ['a wrong key', ['--key', 'wrong'], 'websocket: a client is refused with 4001'],
    ['a wrong id', ['--app-id', '77'], 'publish: there is no app with the id 77'],
    ['a blocked origin', ['--origin', 'https://bad.example'], 'origin: a client is refused with 4009'],
  ])('explains %s', async (_what, more, sentence) => {
    const { code, wrong } = await findings(base, more);
    expect(code).toBe(1);
    expect(
      wrong.some((each) => each.startsWith(sentence)),
      wrong.join('\n'),
    ).toBe(true);
  });

  it('explains a server that is not there, or hangs', async () => {
    expect((await findings(closed)).wrong).toEqual([expect.stringContaining('nobody listens there')]);
    expect((await findings('http://127.0.0.1:6000')).wrong).toEqual([expect.stringContaining('browsers refuse')]);
    const silent = createTcp().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    try {
      const { port } = silent.address() as AddressInfo;
      expect((await findings(`http://127.0.0.1:${port}`)).wrong).toEqual([
        expect.stringContaining('no answer in time'),
      ]);
    } finally {
      silent.close();
    }
  });

  it('explains TLS on either side only', async () => {
    expect((await findings(base.replace('http', 'https'))).wrong).toEqual([
      expect.stringContaining('speaks plain http, not https'),
    ]);
    const files = testPair('first');
    const secure = await TestGateway.start({ settings: { tls_cert: files.certPath, tls_key: files.keyPath } });
    try {
      const { wrong } = await findings(`http://127.0.0.1:${secure.port}`);
      expect(wrong).toEqual([expect.stringContaining('use https://')]);
      const untrusted = await findings(`https://127.0.0.1:${secure.port}`);
      expect(untrusted.wrong).toEqual([expect.stringMatching(/certificate/)]);
    } finally {
      await secure.stop();
    }
  });

  it('explains a proxy: without upgrade, without a server behind it, with a redirect, with another server', async () => {
    const up = '{"status":"ok"}';
    const noUpgrade = await other((path) => (path === '/up' ? { status: 200, body: up } : { status: 404 }));
    expect((await findings(noUpgrade)).wrong).toEqual([
      expect.stringContaining('404 instead of 101: a proxy does not hand on Upgrade and Connection'),
      expect.stringContaining('must pass /apps on'),
    ]);
    const dead = await other(() => ({ status: 502 }));
    expect((await findings(dead)).wrong).toEqual([expect.stringContaining('does not reach the gateway')]);
    const redirect = await other(() => ({ status: 301, headers: { Location: 'https://ws.example/' } }));
    expect((await findings(redirect)).wrong).toEqual([expect.stringContaining('redirects to https://ws.example/')]);
    const laravel = await other(() => ({ status: 200, body: '<html>Application up</html>' }));
    expect((await findings(laravel)).wrong).toEqual([expect.stringContaining('that is not the gateway')]);
    const notFound = await other(() => ({ status: 404 }));
    expect((await findings(notFound)).wrong).toEqual([expect.stringContaining('path prefix')]);
  });

  it('explains clocks that are far apart', async () => {
    const late = await other(() => ({
      status: 200,
      body: '{"status":"ok"}',
      headers: { Date: new Date(Date.now() - 3_600_000).toUTCString() },
    }));
    expect((await findings(late)).wrong[0]).toMatch(/^clock: the clocks are 3(599|600|601) s apart/);
  });

  it('explains gateways that do not know each other: published here, connected there', async () => {
    const alone = await TestGateway.start();
    try {
      // What a proxy in front of two gateways without Redis does: sockets to one, requests to the other.
      const both = await other((path) => ({ status: 200, body: path.startsWith('/apps') ? '{}' : '{"status":"ok"}' }));
      servers.at(-1)?.on('upgrade', (request, socket, head) => {
        alone.app.getHttpServer().emit('upgrade', request, socket, head);
      });
      const { wrong } = await findings(both);
      expect(wrong).toEqual([expect.stringContaining('several gateways that do not share a Redis')]);
    } finally {
      await alone.stop();
    }
  });
});
