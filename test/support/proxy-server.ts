import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from './checkout.js';
import { Running } from './process.js';
import { testPair } from './tls/certificates.js';

export type ProxyKind = 'nginx' | 'haproxy';

/** Where the binary is; undefined when scripts/lib/proxies.mjs could not have it. */
export function proxyBinary(kind: ProxyKind): string | undefined {
  return process.env[`POGO_TEST_${kind.toUpperCase()}`];
}

const START_TIMEOUT_MS = 15_000;

/** A proxy as docs/proxy.md has it, with TLS, in front of gateways of this machine. */
export class ProxyServer {
  private constructor(
    readonly port: number,
    private readonly running: Running,
    private readonly folder: string,
  ) {}

  /** @param ports of the gateways. */
  static async start(kind: ProxyKind, ports: readonly number[]): Promise<ProxyServer> {
    const folder = await mkdtemp(join(tmpdir(), `pogo-${kind}-`));
    const port = await freePort();
    const { certPath, cert, keyPath, key } = testPair('first');
    await writeFile(join(folder, 'both.pem'), `${cert}\n${key}`);
    const page = await blockOf(kind);
    const config =
      kind === 'nginx' ? nginx(page, folder, port, ports, certPath, keyPath) : haproxy(page, folder, port, ports);
    const file = join(folder, 'proxy.conf');
    await writeFile(file, config);
    const args = kind === 'nginx' ? ['-p', folder, '-c', file, '-e', 'stderr'] : ['-db', '-f', file];
    const running = new Running(proxyBinary(kind) ?? kind, args, { cwd: folder });
    const proxy = new ProxyServer(port, running, folder);
    try {
      await proxy.listens();
    } catch (error) {
      await proxy.stop();
      throw error;
    }
    return proxy;
  }

  get output(): string {
    return this.running.output;
  }

  async stop(): Promise<void> {
    this.running.cleanUp();
    await this.running.ending;
    await rm(this.folder, { recursive: true, force: true });
  }

  private async listens(): Promise<void> {
    let hasEnded = false;
    void this.running.ending.then(() => (hasEnded = true));
    for (const deadline = performance.now() + START_TIMEOUT_MS; performance.now() < deadline; await sleep(20)) {
      if (hasEnded) break;
      const socket = connect(this.port, '127.0.0.1');
      const isThere = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      socket.destroy();
      if (isThere) return;
    }
    throw new Error(`the proxy does not listen:\n${this.output}`);
  }
}

/** The first fenced block of a language. */
async function blockOf(language: string): Promise<string> {
  const page = await readFile(join(ROOT, 'docs/proxy.md'), 'utf8');
  const block = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(page)?.[1];
  if (block === undefined) throw new Error(`docs/proxy.md has no configuration of ${language}`);
  return block;
}

/** @throws Error when the page does not have what is to be replaced: the test would try something else then. */
function replaced(text: string, pairs: readonly (readonly [from: string, to: string])[]): string {
  return pairs.reduce((left, [from, to]) => {
    if (!left.includes(from)) throw new Error(`docs/proxy.md has no ${JSON.stringify(from)}`);
    return left.replace(from, to);
  }, text);
}

function gateways([first = 1, second = first]: readonly number[]): [string, string][] {
  return [
    ['10.0.0.11:8080', `127.0.0.1:${first}`],
    ['10.0.0.12:8080', `127.0.0.1:${second}`],
  ];
}

/** What a distribution's nginx.conf has around it. */
function nginx(
  page: string,
  folder: string,
  port: number,
  ports: readonly number[],
  cert: string,
  key: string,
): string {
  const site = replaced(page, [
    ...gateways(ports),
    ['listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`],
    ['/etc/ssl/ws.example.com/fullchain.pem', cert],
    ['/etc/ssl/ws.example.com/privkey.pem', key],
  ]);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  return `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr warn;
worker_rlimit_nofile 10000;
events { worker_connections 8192; }
http {
access_log off;
${temporary.join('\n')}
${site}
}
`;
}

function haproxy(page: string, folder: string, port: number, ports: readonly number[]): string {
  return replaced(page, [
    ...gateways(ports),
    ['maxconn 50000', 'maxconn 4000\n  nbthread 1'],
    ['bind :443 ssl crt /etc/haproxy/ws.example.com.pem', `bind 127.0.0.1:${port} ssl crt ${folder}/both.pem`],
  ]);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
