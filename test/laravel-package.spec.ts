import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './support/checkout.js';
import { APP, TestGateway } from './support/gateway.js';

const PACKAGE = join(ROOT, 'packages/laravel');
const { POGO_TEST_PHP: php, POGO_TEST_PHPUNIT: phpunit } = process.env;
const TIMEOUT_MS = 180_000;

/** Publishes as an application does whose connection has these options; resolves to what went wrong, or "". */
async function broadcast(
  options: object,
  channels: string[],
  payload: object,
  secret: string = APP.secret,
): Promise<string> {
  const script = `
    require '${PACKAGE}/tests/bootstrap.php';
    [$config, $channels, $payload] = json_decode(getenv('POGO_CASE'), true);
    try {
      $broadcaster = new Pogo\\Laravel\\PogoBroadcaster(new Pogo\\Laravel\\Gateway($config, new Pogo\\Laravel\\CurlTransport));
      $broadcaster->broadcast($channels, 'news', $payload);
    } catch (Illuminate\\Broadcasting\\BroadcastException $e) {
      echo $e->getMessage();
    }`;
  const config = { key: APP.key, secret, app_id: APP.id, options };
  const env = { ...process.env, POGO_CASE: JSON.stringify([config, channels, payload]) };
  const { stdout } = await promisify(execFile)(php ?? 'php', ['-r', script], { env, timeout: TIMEOUT_MS });
  return stdout;
}

/** What the webhook route of docs/laravel.md answers to a body that is signed with `signedWith`. */
async function webhook(configured: string | null, signedWith: string): Promise<string> {
  const page = await readFile(join(ROOT, 'docs/laravel.md'), 'utf8');
  const route = /```php\n([^`]*Route::post[^]*?)```/.exec(page)?.[1] ?? '';
  const script = `
    [$configured, $signedWith] = json_decode(getenv('POGO_CASE'), true);
    class Request {
      function getContent() { return '{"events":[]}'; }
      function header($name) { return hash_hmac('sha256', $this->getContent(), $GLOBALS['signedWith']); }
      function json($name) { return []; }
    }
    class Route {
      static function post($path, $handler) { echo $handler(new Request); return new self; }
      function withoutMiddleware($names) { echo ' ', implode(' ', array_map(fn ($name) => basename(strtr($name, '\\\\', '/')), $names)); }
    }
    function config($name) { return $GLOBALS['configured']; }
    function abort_unless($isRight, $status) { $isRight || exit((string) $status); }
    function response() { return new class { function noContent() { return '204'; } }; }
    ${route}`;
  const env = { ...process.env, POGO_CASE: JSON.stringify([configured, signedWith]) };
  return (await promisify(execFile)(php ?? 'php', ['-r', script], { env, timeout: TIMEOUT_MS })).stdout;
}

// PHP cannot be had on this machine: scripts/lib/php.mjs has tried.
describe.skipIf(php === undefined)('packages/laravel', { timeout: TIMEOUT_MS }, () => {
  let gateway: TestGateway;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pogo-php-'));
    gateway = await TestGateway.start({
      settings: { unix_socket: join(folder, 'gateway.sock'), max_event_bytes: '100' },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await rm(folder, { recursive: true });
  });

  it('passes its own tests', async () => {
    const { stdout } = await promisify(execFile)(phpunit ?? 'phpunit', [], { cwd: PACKAGE, timeout: TIMEOUT_MS });
    expect(stdout).toMatch(/^OK \((\d+) tests/m);
    expect(Number(/^OK \((\d+) tests/m.exec(stdout)?.[1])).toBeGreaterThan(20);
  });

  it.each(['HTTP', 'a Unix socket'])('publishes over %s, but not to the connection that caused it', async (way) => {
    const options =
      way === 'HTTP' ? { host: '127.0.0.1', port: gateway.port } : { unix_socket: join(folder, 'gateway.sock') };
    const [ada, bob] = [await gateway.connect(), await gateway.connect()];
    for (const client of [ada, bob]) await client.subscribe('private-orders');
    expect(await broadcast(options, ['private-orders'], { text: 'für alle', socket: ada.socketId })).toBe('');
    expect((await bob.receive('news')).data).toBe(JSON.stringify({ text: 'für alle' }).replace('ü', '\\u00fc'));
    expect(await broadcast(options, ['private-orders'], { text: 'second' })).toBe('');
    // The first that it hears of is the second.
    expect((await ada.receive('news')).data).toBe('{"text":"second"}');
    await Promise.all([ada.disconnect(), bob.disconnect()]);
  });

  it.each<[string, object, string, string]>([
    ['a wrong secret', {}, 'wrong', 'Pogo: unauthorized: '],
    ['too much', { text: 'x'.repeat(200) }, APP.secret, 'Pogo: payload_too_large: '],
  ])('tells the application of %s by the name of the status', async (_what, payload, secret, sentence) => {
    const said = await broadcast({ host: '127.0.0.1', port: gateway.port }, ['a'], payload, secret);
    expect(said).toContain(sentence);
    expect(said).not.toContain(APP.secret);
  });

  it('is told by docs/laravel.md how webhooks are verified, and never with an empty secret', async () => {
    expect(await webhook('right', 'right')).toBe('204 PreventRequestForgery ValidateCsrfToken');
    expect(await webhook('right', 'wrong')).toBe('401');
    expect(await webhook(null, '')).toBe('401');
    expect(await webhook('', '')).toBe('401');
  });

  it('tells it that nobody is there', async () => {
    expect(await broadcast({ unix_socket: join(folder, 'none.sock') }, ['a'], {})).toContain('Pogo: unreachable: ');
  });
});
