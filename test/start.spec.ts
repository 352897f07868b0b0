import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Checkout } from './support/checkout.js';
import { Running } from './support/process.js';
import { CertificateFolder, testPair } from './support/tls/certificates.js';
import { trust } from './support/tls/trust.js';

/** The first start compiles, on a machine whose cores are busy with other tests. */
const START_TIMEOUT_MS = 300_000;
const SECRET = 'never-to-be-printed';
const APP_ENV = {
  POGO_WS_APP_ID: '7',
  POGO_WS_APP_KEY: 'start-key',
  POGO_WS_APP_SECRET: SECRET,
  // All clients of a test have one address.
  POGO_WS_HANDSHAKE_RATE: '-1',
};
const TERMINAL = '/usr/bin/script';
const LISTENING = /listening on ws:\/\/(127\.0\.0\.1|localhost):(\d+)\/app\/([\w-]+)/;

let checkout: Checkout;
let running: Running | undefined;

beforeAll(async () => {
  checkout = await Checkout.create();
});

beforeEach((context) => {
  if (!existsSync('/proc')) context.skip('needs /proc to see whether a process is left behind');
});

afterEach(() => {
  running?.cleanUp();
  running = undefined;
});

afterAll(async () => {
  await checkout.remove();
});

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  running = new Running(command, args, { cwd: checkout.path, env: { POGO_WS_PORT: '0', ...env } });
  return running;
}

/** Asks /up on the port that the server has printed. */
async function up(server: Running): Promise<[status: number, body: unknown]> {
  const [, , port] = await server.printed(LISTENING);
  const response = await fetch(`http://127.0.0.1:${port}/up`);
  return [response.status, await response.json()];
}

/** Two hundred clients, more than one step of the drain; resolves to how each of them was closed. */
async function connectMany(server: Running): Promise<{ closings: Promise<number[]> }> {
  const [, , port, key] = await server.printed(LISTENING);
  const sockets = Array.from({ length: 200 }, () => new WebSocket(`ws://127.0.0.1:${port}/app/${key}`));
  const closings = sockets.map((socket) => new Promise<number>((resolve) => socket.on('close', resolve)));
  await Promise.all(sockets.map((socket) => once(socket, 'message')));
  return { closings: Promise.all(closings) };
}

describe.each([
  ['npm start', 'npm', ['start']],
  ['npx nest start gateway', 'npx', ['nest', 'start', 'gateway']],
] as const)('%s', { timeout: START_TIMEOUT_MS }, (title, command, args) => {
  it('builds, prints its URL but no secret, serves /up, and stops on SIGTERM leaving no process behind', async () => {
    const server = run(command, args, APP_ENV);
    expect(await up(server)).toEqual([200, { status: 'ok' }]);
    expect(server.output).toMatch(/ws:\/\/localhost:\d+\/app\/start-key/);
    for (const text of [SECRET, 'new Pusher(', 'REVERB_APP_SECRET']) expect(server.output).not.toContain(text);
    server.kill('SIGTERM');
    const { code, signal } = await server.ending;
    // npx runs the command under a shell that may die of the signal; npx then does the same.
    expect(title === 'npm start' ? [0] : [0, 'SIGTERM']).toContain(code ?? signal);
    await server.gone();
  });

  it('sends clients away with 4200 when Ctrl-C reaches every process of the terminal', async () => {
    const server = run(command, args, APP_ENV);
    const { closings } = await connectMany(server);
    server.killGroup('SIGINT');
    expect(new Set(await closings)).toEqual(new Set([4200]));
    await server.gone();
  });

  it('exits with 78 and names every mistake, but no secret, when the configuration is bad', async () => {
    const server = run(command, args, { ...APP_ENV, POGO_WS_PORT: 'eighty', POGO_WS_PIN_PERIOD: '5s' });
    expect(await server.ending).toEqual({ code: 78, signal: null });
    expect(server.output).toContain('POGO_WS_PORT = "eighty": must be a whole number');
    expect(server.output).toContain('did you mean POGO_WS_PING_PERIOD?');
    expect(server.output).not.toContain(SECRET);
    await server.gone();
  });
});

describe('node scripts/start.mjs', { timeout: START_TIMEOUT_MS }, () => {
  it('exits with 0 though signals keep coming while it ends, as those that npm hands on late do', async () => {
    const server = run('node', ['scripts/start.mjs'], APP_ENV);
    await server.printed(LISTENING);
    const again = setInterval(() => server.kill('SIGINT'), 1);
    expect(await server.ending).toEqual({ code: 0, signal: null });
    clearInterval(again);
    await server.gone();
  });
});

describe('node dist/apps/gateway/src/main.js', { timeout: START_TIMEOUT_MS }, () => {
  const MAIN = ['dist/apps/gateway/src/main.js'];

  it('takes settings as options, over the environment, and says which it does not know', async () => {
    const server = run('node', [...MAIN, '--port=0', '--path-prefix', '/ws'], { ...APP_ENV, POGO_WS_PORT: '1' });
    await server.printed(/listening on ws:\/\/\S+\/ws\/app\//);
    server.kill('SIGTERM');
    expect((await server.ending).code).toBe(0);
    const wrong = run('node', [...MAIN, '--prot', '9000', '--app-secret', SECRET], APP_ENV);
    expect((await wrong.ending).code).toBe(78);
    expect(wrong.output).toContain('--prot: there is no such setting; did you mean --port?');
    expect(wrong.output).toContain('use POGO_WS_APP_SECRET');
    expect(wrong.output).not.toContain(SECRET);
  });

  it.each([
    ['main.js', MAIN],
    ['pogo start', ['dist/apps/gateway/src/cli/main.js', 'start']],
  ])(
    'ends when it is told to while it is still loading, also as the first process of a container: %s',
    async (_, main) => {
      // To such a process a signal is nothing before it has a handler: here one that does nothing has been there first.
      // When reflect-metadata is there, so is everything else.
      const first = `process.on('SIGTERM', () => {});
      const again = setInterval(() => {
        if (Reflect.getMetadata === undefined) process.kill(process.pid, 'SIGTERM');
        else clearInterval(again);
      }, 20);`;
      const preload = ['--import', `data:text/javascript,${encodeURIComponent(first)}`];
      const server = run('node', [...preload, ...main], APP_ENV);
      const listening = server.printed(LISTENING).then(
        () => 'listening',
        () => server.ending,
      );
      expect(await Promise.race([server.ending, listening])).toEqual({ code: 0, signal: null });
    },
  );

  it('ends at once when it gets a second signal later on', async () => {
    const server = run('node', MAIN, { ...APP_ENV, POGO_WS_SHUTDOWN_TIMEOUT: '60s' });
    const [, , port, key] = await server.printed(LISTENING);
    // A client that reads nothing holds the drain up for as long as a closing handshake may take.
    const socket = new WebSocket(`ws://127.0.0.1:${port}/app/${key}`);
    await new Promise((resolve) => socket.on('message', resolve));
    socket.pause();
    server.kill('SIGTERM');
    // The server counts what comes within half a second as the same signal.
    const again = setInterval(() => server.kill('SIGTERM'), 100);
    expect((await server.ending).code).toBe(1);
    clearInterval(again);
    socket.terminate();
  });
});

describe('SIGHUP', { timeout: START_TIMEOUT_MS }, () => {
  const MAIN = ['dist/apps/gateway/src/main.js'];

  it('has the certificate read again, and again once it is right, under clients that stay', async () => {
    const [first, second] = [testPair('first'), testPair('second')];
    const folder = new CertificateFolder().put(first);
    const distrust = trust(first.cert, second.cert);
    const files = { POGO_WS_TLS_CERT: folder.certPath, POGO_WS_TLS_KEY: folder.keyPath };
    const server = run('node', MAIN, { ...APP_ENV, ...files });
    const [, port] = await server.printed(/listening on wss:\/\/localhost:(\d+)\/app\/start-key/);
    const socket = new WebSocket(`wss://127.0.0.1:${port}/app/start-key`);
    await new Promise((resolve) => socket.on('message', resolve));
    const answering = async () => (await fetch(`https://127.0.0.1:${port}/up`)).status;
    folder.put({ ...first, key: second.key });
    server.kill('SIGHUP');
    await server.printed(/stays the old one: tls_key .*: the key does not belong to the certificate/);
    expect(await answering()).toBe(200);
    folder.put(second);
    server.kill('SIGHUP');
    await server.printed(/new connections get the certificate in .*valid until 2120-01-01/);
    distrust();
    const newcomer = new WebSocket(`wss://127.0.0.1:${port}/app/start-key`, { ca: second.cert });
    await new Promise((resolve) => newcomer.on('message', resolve));
    expect(socket.readyState).toBe(WebSocket.OPEN);
    for (const line of [...first.key.split('\n'), ...second.key.split('\n')].filter(({ length }) => length > 40)) {
      expect(server.output).not.toContain(line);
    }
    server.kill('SIGTERM');
    expect(await server.ending).toEqual({ code: 0, signal: null });
    folder.remove();
  });

  it('does nothing to a server without TLS', async () => {
    const server = run('node', MAIN, APP_ENV);
    await server.printed(LISTENING);
    server.kill('SIGHUP');
    expect(await up(server)).toEqual([200, { status: 'ok' }]);
    server.kill('SIGTERM');
    expect(await server.ending).toEqual({ code: 0, signal: null });
  });

  it('of a terminal that is closed ends the server in it', async (context) => {
    if (!existsSync(TERMINAL)) context.skip('needs `script` of util-linux for a pseudo terminal');
    const server = run(TERMINAL, ['-qec', `exec node ${MAIN.join(' ')}`, '/dev/null']);
    const [, port] = await server.printed(/ws:\/\/127\.0\.0\.1:(\d+)\/app\/pogo-key/);
    await server.printed(/VITE_REVERB_SCHEME/);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/app/pogo-key`);
    await new Promise((resolve) => socket.on('message', resolve));
    const closed = new Promise((resolve) => socket.on('close', resolve));
    // Who dies like this cannot hand anything on: the kernel tells the processes of the terminal.
    server.kill('SIGKILL');
    expect(await closed).toBe(4200);
  });
});

describe('npm start on a terminal', { timeout: START_TIMEOUT_MS }, () => {
  // `script` runs the command with $SHELL, or with sh where that is unset. A dash that stayed would die of the Ctrl-C and
  // report 130, whatever npm ends with: a person's interactive shell does not.
  const underTerminal = ['-qec', 'exec npm start', '/dev/null'];

  it('shows a snippet for pusher-js and an .env block for Laravel, and Ctrl-C ends it with 0', async (context) => {
    if (!existsSync(TERMINAL)) context.skip('needs `script` of util-linux for a pseudo terminal');
    const server = run(TERMINAL, underTerminal);
    await server.printed(/VITE_REVERB_SCHEME/);
    expect(server.output).toContain("new Pusher('pogo-key', {");
    expect(server.output).toContain("cluster: '',");
    expect(server.output).toMatch(/REVERB_APP_SECRET=[\w-]{20,}/);
    expect(server.output).toMatch(/REVERB_PORT=\d+/);
    server.type('\u0003');
    expect(await server.ending).toEqual({ code: 0, signal: null });
    await server.gone();
  });

  it('does not show the secret of an app that was configured', async (context) => {
    if (!existsSync(TERMINAL)) context.skip('needs `script` of util-linux for a pseudo terminal');
    const server = run(TERMINAL, underTerminal, APP_ENV);
    await server.printed(/VITE_REVERB_SCHEME/);
    expect(server.output).toContain('REVERB_APP_SECRET=<your app secret>');
    expect(server.output).not.toContain(SECRET);
    server.type('\u0003');
    await server.ending;
    await server.gone();
  });
});
