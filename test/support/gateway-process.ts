import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from './checkout.js';
import { BUILD_TIMEOUT_MS, buildOnce } from './build.js';
import { Client, type ClientOptions } from './client.js';
import { APP } from './gateway.js';
import { HttpApi } from './http-api.js';
import { Running } from './process.js';
import { mortal } from './redis.js';

/** For hooks and tests that start some. */
export const START_TIMEOUT_MS = BUILD_TIMEOUT_MS + 30_000;

/** Longer than a gateway takes to find a Redis that is there. */
const READY_TIMEOUT_MS = 60_000;
/** For the answer of one that is frozen, or hangs. */
const ANSWER_TIMEOUT_MS = 15_000;
const LISTENING = /listening on ws(s?):\/\/[^/]+:(\d+)(\S*)\/app\//;

export interface GatewayProcessOptions {
  /** `POGO_WS_*` settings by their short name, for example `{ redis_url: redis.url }`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Any free one by default. */
  readonly port?: number;
  /** False for one that cannot become ready, because its Redis is away. */
  readonly awaitReady?: boolean;
}

/** A gateway as it runs in production: a process of its own, of what was built. */
export class GatewayProcess {
  private readonly clients: Client[] = [];

  private constructor(
    private readonly running: Running,
    private readonly app: { readonly id: string; readonly key: string; readonly secret: string },
    readonly port: number,
    readonly pathPrefix: string,
    readonly hasTls: boolean,
  ) {}

  /** Resolves when it listens and, unless told otherwise, is ready. */
  static async start(options: GatewayProcessOptions = {}): Promise<GatewayProcess> {
    const { settings = {}, env = {}, port = 0, awaitReady = true } = options;
    await buildOnce();
    const all = {
      host: '127.0.0.1',
      port: String(port),
      log_format: 'json',
      app_id: APP.id,
      app_key: APP.key,
      app_secret: APP.secret,
      // All clients of a test have one address.
      handshake_rate: '-1',
      metrics_port: 'off',
      ...settings,
    };
    const variables = Object.entries(all).map(([key, value]) => [`POGO_WS_${key.toUpperCase()}`, value] as const);
    const command = mortal(process.execPath, ['dist/apps/gateway/src/main.js']);
    const running = new Running(...command, { cwd: ROOT, env: { ...Object.fromEntries(variables), ...env } });
    try {
      const [, secure, printedPort, pathPrefix = ''] = await running.printed(LISTENING);
      const app = { id: all.app_id, key: all.app_key, secret: all.app_secret };
      const gateway = new GatewayProcess(running, app, Number(printedPort), pathPrefix, secure === 's');
      if (awaitReady) await gateway.ready();
      return gateway;
    } catch (error) {
      running.kill('SIGKILL');
      await running.ending;
      throw error;
    }
  }

  get http(): HttpApi {
    return new HttpApi(this.base, this.app);
  }

  /** URL of a WebSocket for `key`. */
  url(key: string = this.app.key, query = 'protocol=7&client=js&version=8.6.0'): string {
    return `${this.base.replace('http', 'ws')}/app/${key}${query === '' ? '' : `?${query}`}`;
  }

  /** A client that has received `pusher:connection_established`. */
  async connect(options: ClientOptions = {}): Promise<Client> {
    const client = this.dial(this.url(), options);
    await client.established();
    return client;
  }

  /** A client that only dials: for what the server refuses. */
  dial(url: string = this.url(), options: ClientOptions = {}): Client {
    const client = new Client(url, { app: this.app, ...options });
    this.clients.push(client);
    return client;
  }

  /** What it has printed so far, standard output and errors. */
  get output(): string {
    return this.running.output;
  }

  /** Resolves to the match once the output has it. */
  printed(pattern: RegExp): Promise<RegExpExecArray> {
    return this.running.printed(pattern);
  }

  /** What GET /ready answers. */
  async readiness(): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${this.base}/ready`, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    return { status: response.status, body: await response.json() };
  }

  /** Resolves when it says that it is ready. */
  async ready(): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    let hasEnded = false;
    void this.running.ending.then(() => (hasEnded = true));
    for (;;) {
      const answer = await this.readiness().catch((error: unknown) => ({ status: 0, body: String(error) }));
      if (answer.status === 200) return;
      if (hasEnded || performance.now() > deadline) {
        throw new Error(`not ready, it answers ${JSON.stringify(answer)} and has printed:\n${this.output}`);
      }
      await sleep(20);
    }
  }

  /** Resolves when it is gone, as after a crash. */
  async kill(): Promise<void> {
    this.running.kill('SIGKILL');
    await this.running.ending;
  }

  /** Stops it where it is: connections stay, and nothing is answered. */
  freeze(): void {
    this.running.kill('SIGSTOP');
  }

  thaw(): void {
    this.running.kill('SIGCONT');
  }

  /** Asks it to read its files again. */
  hangUp(): void {
    this.running.kill('SIGHUP');
  }

  /** Ends it as an operator does, and then its clients; resolves to the exit code, null after {@link kill}. */
  async stop(): Promise<number | null> {
    this.thaw();
    this.running.kill('SIGTERM');
    const { code } = await this.running.ending;
    for (const client of this.clients) client.terminate();
    return code;
  }

  private get base(): string {
    return `${this.hasTls ? 'https' : 'http'}://127.0.0.1:${this.port}${this.pathPrefix}`;
  }
}
