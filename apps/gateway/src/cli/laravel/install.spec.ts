import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installLaravel, type LaravelInstallOptions, type LaravelInstallResult } from './install.js';

type Tree = Readonly<Record<string, string>>;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pogo-laravel-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function write(tree: Tree): Promise<void> {
  for (const [path, text] of Object.entries(tree)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
}

const read = (path: string) => readFile(join(dir, path), 'utf8');

async function everything(): Promise<Tree> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(
    paths.map(async (path) => [path.slice(dir.length + 1), await readFile(path, 'utf8')] as const),
  );
  return Object.fromEntries(texts.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The same "random" bytes for everything, so that a value shows where it comes from. */
function install(options: Partial<LaravelInstallOptions> = {}, byte = 0xab): Promise<LaravelInstallResult> {
  return installLaravel({ dir, random: (bytes) => Buffer.alloc(bytes, byte), ...options });
}

const actions = ({ changes }: LaravelInstallResult) =>
  Object.fromEntries(changes.map(({ path, action }) => [path, action]));

function bootstrapApp(middleware: string): string {
  return `<?php

use Illuminate\\Foundation\\Application;
use Illuminate\\Foundation\\Configuration\\Exceptions;
use Illuminate\\Foundation\\Configuration\\Middleware;

return Application::configure(basePath: dirname(__DIR__))
    ->withRouting(
        web: __DIR__.'/../routes/web.php',
        commands: __DIR__.'/../routes/console.php',
        health: '/up',
    )
    ->withMiddleware(function (Middleware $middleware)${middleware} {
        //
    })
    ->withExceptions(function (Exceptions $exceptions)${middleware} {
        //
    })->create();
`;
}

const ENV = `APP_NAME=Laravel
APP_KEY=base64:never-shown
APP_URL=http://localhost

# Where events go
BROADCAST_CONNECTION=log
FILESYSTEM_DISK=local

DB_PASSWORD=never-shown

VITE_APP_NAME="\${APP_NAME}"
`;

function skeleton(version: 11 | 12 | 13): Tree {
  return {
    artisan: '#!/usr/bin/env php\n',
    'composer.json': JSON.stringify({ require: { php: '^8.2', 'laravel/framework': `^${version}.0` } }),
    '.env': ENV,
    '.env.example': ENV.replaceAll('never-shown', ''),
    'bootstrap/app.php': bootstrapApp(version === 11 ? '' : ': void'),
    'routes/web.php': '<?php\n',
    'package.json': JSON.stringify({ devDependencies: { vite: '^7.0.0' } }),
    'resources/js/app.js': "import './bootstrap';\n",
    'resources/js/bootstrap.js': "import axios from 'axios';\nwindow.axios = axios;\n",
  };
}

function without(tree: Tree, ...paths: readonly string[]): Tree {
  return Object.fromEntries(Object.entries(tree).filter(([path]) => !paths.includes(path)));
}

const KIT_APP = `import '../css/app.css';

import { createInertiaApp } from '@inertiajs/react';
import { createRoot } from 'react-dom/client';

createInertiaApp({
    setup({ el, App, props }) {
        createRoot(el).render(<App {...props} />);
    },
});
`;

describe.each([11, 12, 13] as const)('An application of Laravel %i', (version) => {
  it('is set up as a person would', async () => {
    await write(skeleton(version));
    const result = await install();
    expect(result.laravel).toBe(String(version));
    expect(result.warnings).toEqual([]);
    expect(actions(result)).toEqual({
      '.env': 'changed',
      '.env.example': 'changed',
      'config/broadcasting.php': 'created',
      'routes/channels.php': 'created',
      'bootstrap/app.php': 'changed',
      'resources/js/echo.js': 'created',
      'resources/js/bootstrap.js': 'changed',
    });
    expect(await read('.env')).toBe(`${ENV.replace('=log', '=reverb')}
REVERB_APP_ID=${100_000 + (0xabababab % 900_000)}
REVERB_APP_KEY=${'ab'.repeat(10)}
REVERB_APP_SECRET=${'ab'.repeat(20)}
POGO_WEBHOOK_SECRET=${'ab'.repeat(20)}
REVERB_HOST="localhost"
REVERB_PORT=8080
REVERB_SCHEME=http
VITE_REVERB_APP_KEY="\${REVERB_APP_KEY}"
VITE_REVERB_HOST="\${REVERB_HOST}"
VITE_REVERB_PORT="\${REVERB_PORT}"
VITE_REVERB_SCHEME="\${REVERB_SCHEME}"
`);
    expect(await read('.env.example')).toContain('REVERB_APP_SECRET=\n');
    expect(await read('.env.example')).not.toContain('abab');
    expect(await read('bootstrap/app.php')).toContain(
      "        commands: __DIR__.'/../routes/console.php',\n        channels: __DIR__.'/../routes/channels.php',\n        health: '/up',\n",
    );
    expect(await read('config/broadcasting.php')).toContain("'key' => env('REVERB_APP_KEY')");
    expect(await read('routes/channels.php')).toContain('App.Models.User.{id}');
    expect(await read('resources/js/echo.js')).toContain("broadcaster: 'reverb'");
    expect(await read('resources/js/bootstrap.js')).toMatch(/axios;\n\nimport '\.\/echo';\n$/);
    expect(result.nextSteps).toEqual([
      expect.stringContaining('composer require pusher/pusher-php-server'),
      'npm install --save-dev laravel-echo pusher-js',
      expect.stringContaining('npm run build'),
      'php artisan config:clear',
      expect.stringContaining('queue:work'),
      expect.stringContaining(`pogo start --env-file ${join(dir, '.env')}`),
    ]);
  });

  it('is left alone by a second run', async () => {
    await write(skeleton(version));
    await install();
    const before = await everything();
    const again = await install({}, 0xcd);
    expect(new Set(again.changes.map(({ action, diff }) => `${action}${diff}`))).toEqual(
      new Set(['unchanged', 'kept']),
    );
    expect(await everything()).toEqual(before);
  });

  it('is not touched by a dry run, which shows what would be, without secrets', async () => {
    await write(skeleton(version));
    const before = await everything();
    const { changes } = await install({ dryRun: true });
    expect(await everything()).toEqual(before);
    const shown = changes.map(({ diff }) => diff).join('\n');
    expect(shown).toContain('-BROADCAST_CONNECTION=log\n+BROADCAST_CONNECTION=reverb\n');
    expect(shown).toContain('+REVERB_APP_SECRET=<redacted>');
    expect(shown).toContain('+POGO_WEBHOOK_SECRET=<redacted>');
    expect(shown).toContain("+        channels: __DIR__.'/../routes/channels.php',");
    expect(shown).toContain('--- /dev/null\n+++ resources/js/echo.js');
    expect(shown).not.toContain('ab'.repeat(20));
    expect(shown).not.toContain('never-shown');
  });
});

describe('What is there already', () => {
  it('is kept in .env: values, comments, quotes, and what somebody chose', async () => {
    const own = 'BROADCAST_CONNECTION=pusher # ours\nREVERB_APP_KEY="my key"\nREVERB_APP_SECRET=\nREVERB_PORT=6001\n';
    await write({ ...skeleton(12), '.env': own });
    const { warnings } = await install();
    const text = await read('.env');
    expect(text).toContain('BROADCAST_CONNECTION=pusher # ours\nREVERB_APP_KEY="my key"\n');
    expect(text).toContain(`REVERB_APP_SECRET=${'ab'.repeat(20)}\nREVERB_PORT=6001\n`);
    expect(warnings).toEqual([expect.stringContaining('BROADCAST_CONNECTION is pusher')]);
  });

  it('is replaced where --force says so: key, secrets, connection, echo.js', async () => {
    await write({ ...skeleton(12), 'resources/js/echo.js': '// mine\n' });
    await write({
      '.env': 'BROADCAST_CONNECTION=pusher\nREVERB_APP_KEY=old\nREVERB_APP_SECRET=old\nREVERB_HOST=ws.example\n',
    });
    const { changes, warnings } = await install();
    expect(changes.find(({ path }) => path === 'resources/js/echo.js')).toMatchObject({
      action: 'kept',
      note: '--force replaces it',
    });
    expect(warnings).toHaveLength(1);
    await install({ force: true });
    const text = await read('.env');
    expect(text).toContain(
      `BROADCAST_CONNECTION=reverb\nREVERB_APP_KEY=${'ab'.repeat(10)}\nREVERB_APP_SECRET=${'ab'.repeat(20)}\n`,
    );
    expect(text).toContain('REVERB_HOST=ws.example');
    expect(await read('resources/js/echo.js')).toContain('VITE_REVERB_APP_KEY');
  });

  it('is how lines end, a missing last newline, and the mode of a file', async () => {
    await write({ ...skeleton(11), '.env': 'APP_NAME=Laravel\r\nBROADCAST_CONNECTION=null\r\nLAST=1' });
    await write({ 'resources/js/bootstrap.js': "import axios from 'axios';\r\nwindow.axios = axios;" });
    await chmod(join(dir, '.env'), 0o600);
    await install();
    const text = await read('.env');
    expect(text).toMatch(/^APP_NAME=Laravel\r\nBROADCAST_CONNECTION=reverb\r\nLAST=1\r\n\r\nREVERB_APP_ID=\d{6}\r\n/);
    expect(text.replaceAll('\r\n', '')).not.toContain('\n');
    expect((await read('resources/js/bootstrap.js')).endsWith("axios;\r\n\r\nimport './echo';\r\n")).toBe(true);
    expect((await stat(join(dir, '.env'))).mode & 0o777).toBe(0o600);
  });

  it('is a broadcasting configuration without reverb, which gets it, or with it, which stays', async () => {
    const old =
      "<?php\n\nreturn [\n    'default' => env('BROADCAST_DRIVER', 'null'),\n    'connections' => [\n        'log' => ['driver' => 'log'],\n    ],\n];\n";
    await write({ ...skeleton(11), 'config/broadcasting.php': old });
    // Nothing would be broadcast: that is the name of Laravel 10, and .env has the other.
    expect((await install()).warnings).toEqual([
      expect.stringContaining('the default is that of BROADCAST_DRIVER, so that BROADCAST_CONNECTION does nothing'),
    ]);
    const text = await read('config/broadcasting.php');
    expect(text.indexOf("'reverb' => [")).toBeLessThan(text.indexOf("'log' =>"));
    expect(text).toContain("env('BROADCAST_DRIVER', 'null')");
    expect(actions(await install())['config/broadcasting.php']).toBe('unchanged');
  });

  it('is a connection reverb in a comment, beside which there is none', async () => {
    const old =
      "<?php\n\nreturn [\n    'default' => env('BROADCAST_CONNECTION', 'null'),\n    'connections' => [\n        // 'reverb' => [\n        // ],\n    ],\n];\n";
    await write({ ...skeleton(11), 'config/broadcasting.php': old });
    expect((await install()).warnings).toEqual([]);
    expect(await read('config/broadcasting.php')).toContain("\n        'reverb' => [\n");
    expect(actions(await install())['config/broadcasting.php']).toBe('unchanged');
  });

  it.each([
    [
      'channels: already',
      bootstrapApp('').replace(
        "health: '/up',",
        "channels: __DIR__.'/../routes/channels.php',\n        health: '/up',",
      ),
    ],
    [
      'withBroadcasting',
      bootstrapApp('').replace(
        '->withMiddleware',
        "->withBroadcasting(__DIR__.'/../routes/channels.php')\n    ->withMiddleware",
      ),
    ],
  ])('is the route of the channels: %s', async (_what, text) => {
    await write({ ...skeleton(12), 'bootstrap/app.php': text });
    const result = await install();
    expect(actions(result)['bootstrap/app.php']).toBe('unchanged');
    expect(result.warnings).toEqual([]);
  });

  it('is a withRouting without commands, or with channels in a comment only', async () => {
    const text = bootstrapApp('')
      .replace(/ +commands: .*\n/, '')
      .replace("health: '/up',", "// channels: 'later',\n        health: '/up',");
    await write({ ...skeleton(12), 'bootstrap/app.php': text });
    await install();
    expect(await read('bootstrap/app.php')).toContain(
      "->withRouting(\n        channels: __DIR__.'/../routes/channels.php',\n        web: __DIR__",
    );
  });

  it.each(['<?php\n\nreturn require "elsewhere.php";\n', undefined])(
    'is an app.php of a shape of its own: the line to add is told',
    async (text) => {
      const rest = without(skeleton(13), 'bootstrap/app.php');
      await write({ ...rest, ...(text === undefined ? {} : { 'bootstrap/app.php': text }) });
      const { warnings } = await install();
      expect(warnings).toEqual([expect.stringContaining("by hand: channels: __DIR__.'/../routes/channels.php',")]);
      if (text !== undefined) expect(await read('bootstrap/app.php')).toBe(text);
    },
  );
});

describe('Scripts', () => {
  it('of a starter kit with React or Vue configure the hooks', async () => {
    const rest = without(skeleton(12), 'resources/js/app.js', 'resources/js/bootstrap.js');
    await write({
      ...rest,
      'package.json': '{"dependencies":{"react":"^19","@laravel/echo-react":"^2"}}',
      'resources/js/app.tsx': KIT_APP,
      'pnpm-lock.yaml': '',
    });
    const { nextSteps } = await install();
    expect(await read('resources/js/app.tsx')).toContain(
      "from 'react-dom/client';\nimport { configureEcho } from '@laravel/echo-react';\n\nconfigureEcho({\n    broadcaster: 'reverb',\n});\n\ncreateInertiaApp",
    );
    expect(nextSteps).toContain('pnpm add --save-dev laravel-echo pusher-js');
    expect(actions(await install())['resources/js/app.tsx']).toBe('unchanged');
    await rm(join(dir, 'resources/js/app.tsx'));
    await write({
      'package.json': '{"dependencies":{"vue":"^3"}}',
      'resources/js/app.ts': KIT_APP.replaceAll('react', 'vue'),
    });
    await install();
    expect(await read('resources/js/app.ts')).toContain("from '@laravel/echo-vue'");
  });

  it('in TypeScript get a typed echo.ts', async () => {
    const rest = without(skeleton(12), 'resources/js/app.js', 'resources/js/bootstrap.js');
    await write({ ...rest, 'resources/js/app.ts': "import './theme';\n" });
    await install();
    expect(await read('resources/js/echo.ts')).toContain('interface Window');
    expect(await read('resources/js/app.ts')).toBe("import './theme';\n\nimport './echo';\n");
  });

  it('that are not there are not made up', async () => {
    const rest = without(skeleton(12), 'resources/js/app.js', 'resources/js/bootstrap.js');
    await write(rest);
    const { warnings, nextSteps } = await install();
    expect(warnings).toEqual([expect.stringContaining('Echo is left to you')]);
    expect(nextSteps.join()).not.toContain('pusher-js');
  });
});

describe('The address', () => {
  it('is what was said', async () => {
    await write(skeleton(12));
    await install({ host: 'ws.shop.example', port: 443, scheme: 'https' });
    expect(await read('.env')).toContain('REVERB_HOST="ws.shop.example"\nREVERB_PORT=443\nREVERB_SCHEME=https\n');
  });

  it('that .env says already stays, which is told, and --force replaces it', async () => {
    await write(skeleton(12));
    await install();
    const address = { host: 'ws.shop.example', port: 443, scheme: 'https' } as const;
    const { warnings } = await install(address);
    expect(warnings).toEqual([
      'REVERB_HOST is localhost in .env and stays so: change it there, or use --force',
      'REVERB_PORT is 8080 in .env and stays so: change it there, or use --force',
      'REVERB_SCHEME is http in .env and stays so: change it there, or use --force',
    ]);
    await install({ force: true });
    expect(await read('.env')).toContain('REVERB_HOST="localhost"\n');
    await install({ ...address, force: true });
    expect(await read('.env')).toContain('REVERB_HOST="ws.shop.example"\nREVERB_PORT=443\nREVERB_SCHEME=https\n');
    expect((await install(address)).warnings).toEqual([]);
  });

  it.each([{ host: 'a b' }, { host: '"\nEVIL=1' }, { port: 0 }, { port: NaN }, { scheme: 'ftp' as 'http' }])(
    'is refused: %j',
    async (options) => {
      await write(skeleton(12));
      await expect(install(options)).rejects.toThrow(/is no host|must be a number|is http or https/);
    },
  );
});

describe('Refused is', () => {
  it.each<[string, Tree, string]>([
    ['an empty folder', {}, 'is no Laravel application'],
    ['a PHP library', { 'composer.json': '{"require":{}}' }, 'is no Laravel application'],
    ['a broken composer.json', { artisan: '', 'composer.json': '{' }, 'composer.json is no valid JSON'],
    [
      'Laravel 10',
      { artisan: '', 'composer.json': '{"require":{"laravel/framework":"^10.10"}}' },
      'this is Laravel 10: 11 or newer is needed',
    ],
  ])('%s', async (_what, tree, sentence) => {
    await write(tree);
    await expect(install()).rejects.toThrow(sentence);
  });

  it('what composer.lock says is too old, whatever composer.json allows', async () => {
    await write({ ...skeleton(11), 'composer.json': '{"require":{"laravel/framework":"^10.0|^11.0"}}' });
    await write({ 'composer.lock': '{"packages":[{"name":"laravel/framework","version":"v10.48.2"}]}' });
    await expect(install()).rejects.toThrow('this is Laravel 10');
  });

  it('a file that cannot be written, by name; a link out of the application is not followed', async () => {
    await write(skeleton(12));
    await mkdir(join(dir, 'routes/channels.php'));
    await expect(install()).rejects.toThrow('routes/channels.php cannot be read (EISDIR)');
    await rm(join(dir, 'routes/channels.php'), { recursive: true });
    const elsewhere = await mkdtemp(join(tmpdir(), 'pogo-elsewhere-'));
    try {
      await symlink(elsewhere, join(dir, 'config'));
      await expect(install()).rejects.toThrow('is a link out of the application');
      expect(await readdir(elsewhere)).toEqual([]);
      expect(await read('.env')).toBe(ENV);
    } finally {
      await rm(elsewhere, { recursive: true });
    }
  });
});

it('A .env that is a link of a deployment is changed where it really is', async () => {
  const shared = await mkdtemp(join(tmpdir(), 'pogo-shared-'));
  try {
    await write(skeleton(12));
    await rm(join(dir, '.env'));
    await writeFile(join(shared, 'env'), ENV);
    await symlink(join(shared, 'env'), join(dir, '.env'));
    await install();
    expect(await readFile(join(shared, 'env'), 'utf8')).toContain('REVERB_APP_KEY=');
    expect((await readdir(shared)).length).toBe(1);
  } finally {
    await rm(shared, { recursive: true });
  }
});

it('A .env that is a link to what is not there yet is written there', async () => {
  const shared = await mkdtemp(join(tmpdir(), 'pogo-shared-'));
  try {
    await write(skeleton(12));
    await rm(join(dir, '.env'));
    await symlink(join(shared, 'env'), join(dir, '.env'));
    await install();
    expect(await readFile(join(shared, 'env'), 'utf8')).toContain('REVERB_APP_KEY=');
    expect(await readlink(join(dir, '.env'))).toBe(join(shared, 'env'));
  } finally {
    await rm(shared, { recursive: true });
  }
});

it('A missing .env begins as the example', async () => {
  await write(skeleton(12));
  await rm(join(dir, '.env'));
  expect(actions(await install())['.env']).toBe('created');
  expect(await read('.env')).toMatch(/^APP_NAME=Laravel\n[^]*BROADCAST_CONNECTION=reverb\n[^]*REVERB_APP_SECRET=abab/);
});
