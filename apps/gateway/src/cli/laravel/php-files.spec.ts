import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installLaravel } from './install.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pogo-php-files-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** Resolves to the warnings. */
async function install(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const application = {
    artisan: '',
    'composer.json': '{"require":{"laravel/framework":"^12.0"}}',
    'resources/js/app.js': '',
  };
  for (const [path, text] of Object.entries({ ...application, ...files })) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
  return (await installLaravel({ dir })).warnings;
}

const read = (path: string) => readFile(join(dir, path), 'utf8');

describe('bootstrap/app.php', () => {
  const app = (routing: string) =>
    `<?php\n\nreturn Application::configure()\n    ->withRouting(\n        ${routing},\n    )->create();\n`;
  const CHANNELS = "channels: __DIR__.'/../routes/channels.php'";

  it.each([
    ['a list of commands that goes on in the next line', "commands: ['a',\n            'b']"],
    ['the argument in a comment behind another', "health: '/up', // channels: later\n        web: 'w'"],
  ])('gets channels before %s', async (_what, routing) => {
    expect(await install({ 'bootstrap/app.php': app(routing) })).toEqual([]);
    expect(await read('bootstrap/app.php')).toBe(app(`${CHANNELS},\n        ${routing}`));
  });

  it('has them already where a string is no comment', async () => {
    const text = app("health: 'a/*')\n    ->withBroadcasting(/* here */ __DIR__");
    expect(await install({ 'bootstrap/app.php': text })).toEqual([]);
    expect(await read('bootstrap/app.php')).toBe(text);
  });
});

it('A folder with a space can be copied from the next steps', async () => {
  const shop = join(dir, 'my shop');
  await mkdir(shop);
  await writeFile(join(shop, 'artisan'), '');
  await writeFile(join(shop, 'composer.json'), '{"require":{"laravel/framework":"^12.0"}}');
  const { nextSteps } = await installLaravel({ dir: shop });
  expect(nextSteps.at(-1)).toContain(`pogo start --env-file "${join(shop, '.env')}"`);
});

describe('An application from Laravel 10', () => {
  const config = (comment: string) =>
    `<?php\n\nreturn ['providers' => [\n        ${comment}App\\Providers\\BroadcastServiceProvider::class,\n        App\\Providers\\Other::class,\n]];\n`;
  const old = { 'bootstrap/app.php': '<?php\n\nreturn new Application();\n', 'config/app.php': config('// ') };
  const provider = { 'app/Providers/BroadcastServiceProvider.php': '<?php\n' };

  it('has a provider instead of withRouting, which is taken out of its comment', async () => {
    expect(await install({ ...old, ...provider })).toEqual([]);
    expect(await read('config/app.php')).toBe(config(''));
    expect(await read('bootstrap/app.php')).toBe(old['bootstrap/app.php']);
    const { changes, warnings } = await installLaravel({ dir });
    expect([warnings, changes.filter(({ diff }) => diff !== '')]).toEqual([[], []]);
  });

  it('that has no such class any more is left to a person', async () => {
    expect(await install(old)).toEqual([expect.stringContaining('by hand')]);
    expect(await read('config/app.php')).toBe(config('// '));
  });
});
