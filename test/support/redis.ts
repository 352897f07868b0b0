import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import { Running } from './process.js';
import type { TestPair } from './tls/certificates.js';

export interface RedisServerOptions {
  /** More of redis-server's arguments. The inspector and `url` know the password that `--requirepass` sets. */
  readonly args?: readonly string[];
  /** Serves TLS alone, and asks clients for no certificate. */
  readonly tls?: Pick<TestPair, 'certPath' | 'keyPath' | 'cert'>;
  readonly inspectorOptions?: Omit<RedisOptions, 'replyMapping'>;
}

/** A real Redis of its own on 127.0.0.1, without persistence. */
export class RedisServer {
  /** For tests to look inside. Its commands wait while the server is away. */
  readonly inspector: Redis;
  private running: Running | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly options: RedisServerOptions,
  ) {
    const { tls, inspectorOptions } = options;
    this.inspector = new Redis({
      host: '127.0.0.1',
      port,
      lazyConnect: true,
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
      ...(this.password === undefined ? {} : { password: this.password }),
      ...(tls === undefined ? {} : { tls: { ca: tls.cert } }),
      ...inspectorOptions,
    });
    // It connects again.
    this.inspector.on('error', () => undefined);
  }

  /** Resolves when it answers. */
  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    for (;;) {
      const folder = await mkdtemp(join(tmpdir(), 'pogo-redis-'));
      const server = new RedisServer(await freePort(), folder, options);
      try {
        await server.launch();
        return server;
      } catch (error) {
        await server.stop();
        if (!String(error).includes('Address already in use')) throw error;
      }
    }
  }

  /** As the setting `redis_url` takes it. */
  get url(): string {
    const credentials = this.password === undefined ? '' : `:${encodeURIComponent(this.password)}@`;
    return `${this.options.tls === undefined ? 'redis' : 'rediss'}://${credentials}127.0.0.1:${this.port}`;
  }

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /** Of a server of a Redis Cluster: where the others reach it. */
  get busPort(): number {
    const { args = [] } = this.options;
    return Number(args[args.indexOf('--cluster-port') + 1]);
  }

  /** Resolves when it is gone, as after a crash. */
  async kill(): Promise<void> {
    this.running?.kill('SIGKILL');
    await this.running?.ending;
    this.running = undefined;
  }

  /** Starts it again on the same port, empty, killing it first if need be; resolves when it answers. */
  async restart(): Promise<void> {
    await this.kill();
    await this.launch();
  }

  /** Stops it where it is: connections stay, and nothing is answered. */
  freeze(): void {
    this.running?.kill('SIGSTOP');
  }

  thaw(): void {
    this.running?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    this.inspector.disconnect();
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  private get password(): string | undefined {
    const { args = [] } = this.options;
    const at = args.indexOf('--requirepass');
    return at === -1 ? undefined : args[at + 1];
  }

  private async launch(): Promise<void> {
    const { args = [], tls } = this.options;
    const port = String(this.port);
    const listen = tls === undefined ? ['--port', port] : ['--port', '0', '--tls-port', port, ...tlsArguments(tls)];
    const fixed = ['--bind', '127.0.0.1', '--dir', this.folder, '--save', '', '--appendonly', 'no'];
    this.running = new Running(...mortal(binary(), [...fixed, ...listen, ...args]), { cwd: this.folder });
    // Its own word first: a PING alone may be answered by another server, which was faster to take the port.
    await this.running.printed(/Ready to accept connections/);
    await this.inspector.ping();
  }
}

/**
 * The command and arguments that run a process which ends with the one that started it, however that ends: a run of the
 * tests that is killed leaves no servers behind. Without util-linux's `setpriv` just the process.
 */
export function mortal(command: string, args: readonly string[]): [command: string, args: readonly string[]] {
  const setpriv = onPath('setpriv');
  return setpriv === undefined ? [command, args] : [setpriv, ['--pdeathsig', 'KILL', command, ...args]];
}

function tlsArguments({ certPath, keyPath }: { certPath: string; keyPath: string }): string[] {
  const files = ['--tls-cert-file', certPath, '--tls-key-file', keyPath, '--tls-ca-cert-file', certPath];
  return [...files, '--tls-auth-clients', 'no'];
}

/** What scripts/test.mjs has found, or where vitest runs by itself the one on the path. */
export function binary(): string {
  const { POGO_TEST_REDIS_PROBLEM: problem, POGO_TEST_REDIS_SERVER: found = onPath('redis-server') } = process.env;
  if (problem !== undefined) throw new Error(problem);
  if (found === undefined) throw new Error('redis-server is not on the path: `npm test` installs it where it can.');
  return found;
}

function onPath(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/bin', '/usr/bin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** `fetch` refuses the first one, as browsers do; the others are somebody's, who may not have listened yet. */
const given = new Set([10_080]);
/** The two workers of a run choose from different ones. */
const FIRST_PORT = Number(process.env['VITEST_POOL_ID'] ?? 0) % 2 === 0 ? 10_000 : 21_000;

/**
 * A port below those that the system hands out by itself. One of them would be taken by somebody else while the server
 * is down; and a client that keeps trying to connect to it may, in the end, be connected to itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, FIRST_PORT + 11_000);
    if (given.has(port)) continue;
    given.add(port);
    const probe = createServer().listen(port, '127.0.0.1');
    try {
      await once(probe, 'listening');
    } catch {
      continue;
    }
    probe.close();
    await once(probe, 'close');
    return port;
  }
}
