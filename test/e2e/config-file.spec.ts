import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client } from '../support/client.js';
import { GatewayProcess, START_TIMEOUT_MS } from '../support/gateway-process.js';
import { HttpApi } from '../support/http-api.js';

const SHOP = { id: 'shop', key: 'shop-key', secret: 'never-printed-shop' };
const BLOG = { id: 'blog', key: 'blog-key', secret: 'never-printed-blog' };

type Entry = Readonly<Record<string, unknown>>;

let folder: string;
let path: string;
let gateway: GatewayProcess | undefined;
const clients: Client[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pogo-config-'));
  path = join(folder, 'pogo.yaml');
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  await gateway?.stop();
  gateway = undefined;
  await rm(folder, { recursive: true });
});

const fileOf = (apps: readonly Entry[], more: Entry = {}): string => JSON.stringify({ ...more, apps });

/** At once, as a person's editor and Kubernetes do. */
async function put(text: string, to = path): Promise<void> {
  await writeFile(`${to}.new`, text);
  await rename(`${to}.new`, to);
}

async function start(text: string, env: Readonly<Record<string, string>> = {}): Promise<GatewayProcess> {
  await put(text);
  const empty = { POGO_WS_APP_ID: '', POGO_WS_APP_KEY: '', POGO_WS_APP_SECRET: '' };
  gateway = await GatewayProcess.start({ env: { ...empty, POGO_WS_CONFIG: path, ...env } });
  return gateway;
}

async function connect({ port }: { readonly port: number }, app: { key: string; secret: string }): Promise<Client> {
  const client = new Client(`ws://127.0.0.1:${port}/app/${app.key}`, { app });
  clients.push(client);
  await client.established();
  return client;
}

describe('The configuration file', { timeout: START_TIMEOUT_MS + 30_000 }, () => {
  it('brings apps, each with its limits, and its apps change while clients stay', async () => {
    const server = await start(fileOf([SHOP, { ...BLOG, max_event_bytes: '10' }]));
    const [shop, blog] = [await connect(server, SHOP), await connect(server, BLOG)];
    await shop.subscribe('news');
    const http = new HttpApi(`http://127.0.0.1:${server.port}`, BLOG);
    expect((await http.publish('news', 'headline', '"more than ten bytes"')).status).toBe(413);

    // The watch: nobody is told to look.
    const next = { id: 'next', key: 'next-key', secret: 'never-printed-next' };
    await put(fileOf([SHOP, { ...BLOG, max_event_bytes: '100' }, next]));
    await server.printed(/apps of .*: 1 new, 0 removed, 1 changed/);
    expect((await http.publish('news', 'headline', '"more than ten bytes"')).status).toBe(200);
    const late = await connect(server, next);

    // A broken file changes nothing, and says where it is broken.
    await put('apps: [{ id: shop\n  key');
    await server.printed(/the apps stay as they are: .*line \d+, column \d+/);
    await connect(server, BLOG);

    // Gone, and disabled.
    await put(fileOf([SHOP, { ...next, enabled: false }]));
    expect((await blog.closing()).code).toBe(4001);
    expect((await late.closing()).code).toBe(4003);
    await new HttpApi(`http://127.0.0.1:${server.port}`, SHOP).publish('news', 'headline', '1');
    await shop.receive('headline');
    expect(server.output).not.toContain('never-printed');
  });

  it('is read again on SIGHUP, says what waits for the next start, and keeps new secrets out of the log', async () => {
    const server = await start(fileOf([SHOP]));
    const client = await connect(server, SHOP);
    await client.subscribe('news');
    await put(fileOf([SHOP, BLOG], { ping_period: '5s', max_event_bytes: '1MiB' }));
    server.hangUp();
    await server.printed(/ping_period.*in force after the next start/);
    await server.printed(/clients can send them after the next start/);
    await connect(server, BLOG);
    await new HttpApi(`http://127.0.0.1:${server.port}`, SHOP).publish('news', 'headline', '1');
    await client.receive('headline');
    expect(server.output).not.toContain('never-printed');
  });

  it('is read again when SIGHUP comes while the server starts, which does not end it', async () => {
    // What it listens to first is what ends it, with a second of loading modules to come.
    const code = `let sent = false;
      process.on('newListener', (name) => {
        if (name !== 'SIGTERM' || sent) return;
        sent = true;
        setImmediate(() => process.kill(process.pid, 'SIGHUP'));
      });`;
    const server = await start(fileOf([SHOP]), {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}`,
    });
    await server.printed(/apps of .*: 0 new, 0 removed, 0 changed/);
    await connect(server, SHOP);
  });

  it('is followed through links that point elsewhere from one moment to the next', async () => {
    const [first, second] = [join(folder, 'first'), join(folder, 'second')];
    await writeFile(first, fileOf([SHOP]));
    await writeFile(second, fileOf([SHOP, BLOG]));
    await symlink(first, path);
    const empty = { POGO_WS_APP_ID: '', POGO_WS_APP_KEY: '', POGO_WS_APP_SECRET: '' };
    const server = (gateway = await GatewayProcess.start({ env: { ...empty, POGO_WS_CONFIG: path } }));
    await symlink(second, `${path}.new`);
    await rename(`${path}.new`, path);
    await server.printed(/1 new, 0 removed/);
    await connect(server, BLOG);
  });
});
