import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PUBLIC = fileURLToPath(new URL('public', import.meta.url));
const require = createRequire(import.meta.url);
// The browser builds, as a page without a bundler loads them.
const PUSHER_JS = join(dirname(require.resolve('pusher-js/package.json')), 'dist/web/pusher.js');
const LARAVEL_ECHO = require.resolve('laravel-echo/iife');

const CSS = 'text/css; charset=utf-8';
const JAVASCRIPT = 'text/javascript; charset=utf-8';
/** URL → file: nothing else is read, whatever somebody asks for. */
const FILES = new Map([
  ['/', [join(PUBLIC, 'index.html'), 'text/html; charset=utf-8']],
  ['/style.css', [join(PUBLIC, 'style.css'), CSS]],
  ['/room.css', [join(PUBLIC, 'room.css'), CSS]],
  ['/messages.css', [join(PUBLIC, 'messages.css'), CSS]],
  ['/chat.js', [join(PUBLIC, 'chat.js'), JAVASCRIPT]],
  ['/view.js', [join(PUBLIC, 'view.js'), JAVASCRIPT]],
  ['/icon.svg', [join(PUBLIC, 'icon.svg'), 'image/svg+xml']],
  ['/pusher.js', [PUSHER_JS, JAVASCRIPT]],
  ['/echo.js', [LARAVEL_ECHO, JAVASCRIPT]],
]);

/** Undefined when there is no such file. */
export async function findFile(path) {
  const [file, type] = FILES.get(path) ?? [];
  return file === undefined ? undefined : { body: await readFile(file), type };
}
