import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ROOT } from './support/checkout.js';
import { APP, type TestGateway } from './support/gateway.js';
import { Running } from './support/process.js';
import { RealClients } from './support/pusher-clients.js';

const EXAMPLE = join(ROOT, 'examples/laravel-echo');

describe('examples/laravel-echo', { timeout: 180_000 }, () => {
  const running: Running[] = [];
  let clients: RealClients | undefined;
  afterEach(async () => {
    for (const each of running.splice(0)) each.cleanUp();
    await clients?.stop();
    clients = undefined;
  });

  function listen({ port }: TestGateway, name: string): Running {
    const env = {
      REVERB_APP_ID: APP.id,
      REVERB_APP_KEY: APP.key,
      REVERB_APP_SECRET: APP.secret,
      REVERB_HOST: '127.0.0.1',
      REVERB_PORT: String(port),
      REVERB_SCHEME: 'http',
    };
    const process_ = new Running(process.execPath, ['listen.mjs', '42', name], { cwd: EXAMPLE, env });
    running.push(process_);
    return process_;
  }

  it('follows an order and who is at the desk', async () => {
    clients = await RealClients.start();
    const ada = listen(clients.gateway, 'ada');
    await ada.printed(/at the desk: ada\n/);
    const bob = listen(clients.gateway, 'bob');
    await bob.printed(/at the desk: ada, bob\n/);
    await ada.printed(/at the desk: ada, bob\n/);
    // What Laravel publishes: the event's class, and its public properties.
    await clients.server.trigger('private-orders.42', 'App\\Events\\OrderShipped', { orderId: 42, carrier: 'post' });
    for (const each of [ada, bob]) await each.printed(/order 42 left with post\n/);
    bob.kill('SIGTERM');
    expect((await bob.ending).code).toBe(0);
    await ada.printed(/at the desk: ada\n[^]*at the desk: ada, bob\n[^]*at the desk: ada\n/);
  });

  it('has the versions of the clients that everything here is tested with', () => {
    const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, string>>;
    const own = read(join(EXAMPLE, 'package.json'))['dependencies'] ?? {};
    for (const [name, version] of Object.entries(own)) {
      expect(read(join(ROOT, 'package.json'))['devDependencies']?.[name], name).toBe(version);
    }
  });

  it.skipIf(process.env['POGO_TEST_PHP'] === undefined)('has PHP that PHP can read', () => {
    const files = readdirSync(EXAMPLE, { recursive: true, encoding: 'utf8' }).filter(
      (path) => path.endsWith('.php') && !path.endsWith('.blade.php'),
    );
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      expect(
        execFileSync(process.env['POGO_TEST_PHP'] ?? 'php', ['-l', join(EXAMPLE, file)], { encoding: 'utf8' }),
      ).toContain('No syntax errors');
    }
  });
});
