import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from './checkout.js';
import { Running, type Ending } from './process.js';
import { freePort, mortal } from './redis.js';
import type { TestPair } from './tls/certificates.js';

export type ProxyName = 'nginx' | 'haproxy' | 'caddy';

/** Where scripts/test.mjs has found it, or where vitest runs by itself the one on the path; undefined without. */
export function proxyBinary(name: ProxyName): string | undefined {
  const found = process.env[`POGO_TEST_${name.toUpperCase()}`];
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/sbin'];
  return found ?? folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** A block of docs/proxy.md, by the comment above it. */
export async function pageBlock(name: string): Promise<string> {
  const page = await readFile(join(ROOT, 'docs/proxy.md'), 'utf8');
  const [, block] = new RegExp(`<!-- run: ${name} -->\n\n\`\`\`\\w+\n(.*?)^\`\`\`$`, 'ms').exec(page) ?? [];
  if (block === undefined) throw new Error(`docs/proxy.md has no block "run: ${name}"`);
  return block;
}

/** Replaces texts that have to be there, all of their occurrences. */
export function edited(text: string, changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((edit, [from, to]) => {
    if (!edit.includes(from)) throw new Error(`docs/proxy.md has changed: there is no ${JSON.stringify(from)}`);
    return edit.replaceAll(from, to);
  }, text);
}

export interface ProxyFiles {
  readonly folder: string;
  readonly port: number;
  readonly pair: Pick<TestPair, 'cert' | 'key' | 'certPath' | 'keyPath'>;
}

/** Makes the configuration of the page one for this test. */
export type Configure = (files: ProxyFiles) => string | Promise<string>;

/** A real proxy on a free port of 127.0.0.1, with a folder of its own. */
export class Proxy {
  private constructor(
    readonly port: number,
    readonly folder: string,
    readonly running: Running,
  ) {}

  /** Resolves when it takes connections. @throws Error with what it has said when its check finds a mistake. */
  static async start(name: ProxyName, pair: ProxyFiles['pair'], configure: Configure): Promise<Proxy> {
    const folder = await mkdtemp(join(tmpdir(), `pogo-${name}-`));
    const port = await freePort();
    try {
      await mkdir(join(folder, 'public'));
      await writeFile(join(folder, 'public/robots.txt'), 'from the application\n');
      await writeFile(join(folder, 'config'), await configure({ folder, port, pair }));
      const { code, output } = await checked(name, folder);
      if (code !== 0) throw new Error(`${name} does not take its configuration:\n${output}`);
      const proxy = new Proxy(port, folder, launch(name, folder, RUN[name]));
      await proxy.listening();
      return proxy;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.running.kill('SIGKILL');
    await this.running.ending;
    await rm(this.folder, { recursive: true, force: true });
  }

  private async listening(): Promise<void> {
    let ending: Ending | undefined;
    void this.running.ending.then((how) => (ending = how));
    for (;;) {
      if (ending !== undefined) throw new Error(`the proxy has ended:\n${this.running.output}`);
      const socket = connect(this.port, '127.0.0.1');
      const taken = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      socket.destroy();
      if (taken) return;
      await sleep(20);
    }
  }
}

/** In one process, which ends with the one that started it. */
const NGINX = ['-p', '.', '-e', 'stderr', '-c', 'config', '-g', 'daemon off; master_process off; pid pid;'];

const CHECK: Readonly<Record<ProxyName, readonly string[]>> = {
  nginx: ['-t', ...NGINX],
  haproxy: ['-c', '-f', 'config'],
  caddy: ['validate', '--adapter', 'caddyfile', '--config', 'config'],
};
const RUN: Readonly<Record<ProxyName, readonly string[]>> = {
  nginx: NGINX,
  haproxy: ['-db', '-f', 'config'],
  caddy: ['run', '--adapter', 'caddyfile', '--config', 'config'],
};

function launch(name: ProxyName, folder: string, args: readonly string[]): Running {
  const binary = proxyBinary(name);
  if (binary === undefined) throw new Error(`there is no ${name}`);
  // nginx takes its own name for the folder that paths begin at; Caddy keeps state in the home folder.
  const relocated = args.map((arg) => (arg === '.' ? `${folder}/` : arg === 'config' ? join(folder, 'config') : arg));
  const home = { HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
  return new Running(...mortal(binary, relocated), { cwd: folder, env: home });
}

async function checked(name: ProxyName, folder: string): Promise<{ code: number | null; output: string }> {
  const running = launch(name, folder, CHECK[name]);
  const { code } = await running.ending;
  return { code, output: running.output };
}
