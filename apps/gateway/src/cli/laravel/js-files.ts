import type { Application } from './application.js';
import { PlannedFile } from './planned-file.js';

const OPTIONS = `    broadcaster: 'reverb',
    key: import.meta.env.VITE_REVERB_APP_KEY,
    wsHost: import.meta.env.VITE_REVERB_HOST,
    wsPort: import.meta.env.VITE_REVERB_PORT ?? 80,
    wssPort: import.meta.env.VITE_REVERB_PORT ?? 443,
    forceTLS: (import.meta.env.VITE_REVERB_SCHEME ?? 'https') === 'https',
    enabledTransports: ['ws', 'wss'],
`;

const IMPORTS = ["import Echo from 'laravel-echo';", "import Pusher from 'pusher-js';", ''].join('\n');

const ECHO_JS = `${IMPORTS}
window.Pusher = Pusher;

window.Echo = new Echo({
${OPTIONS}});
`;

const ECHO_TS = `${IMPORTS}
declare global {
    interface Window {
        Echo: Echo<'reverb'>;
        Pusher: typeof Pusher;
    }
}

window.Pusher = Pusher;

window.Echo = new Echo({
${OPTIONS}});
`;

/** Starter kits since Laravel 12 have hooks that configure Echo themselves: package, its module, files. */
const KITS = [
  { framework: 'react', module: '@laravel/echo-react', files: ['app.tsx', 'app.jsx'] },
  { framework: 'vue', module: '@laravel/echo-vue', files: ['app.ts', 'app.js'] },
] as const;

const FOLDER = 'resources/js';
const ENTRIES = ['bootstrap.js', 'bootstrap.ts', 'app.js', 'app.ts', 'app.jsx', 'app.tsx'] as const;
const IMPORT = /^\s*import\s+['"]\.\/echo(?:\.[jt]s)?['"]/m;
/** A statement and not import.meta.glob( or import(: with whatever is behind it on its line. */
const ANY_IMPORT = /^import\b(?!\s*[.(])[^;'"]*['"][^'"\r\n]+['"][^\r\n]*\r?\n/gm;

export interface Scripts {
  readonly files: readonly PlannedFile[];
  /** Names of npm packages that they need. */
  readonly packages: readonly string[];
  readonly warning?: string;
  /** Files that are there and were left as they are, with the reason. */
  readonly kept: ReadonlyMap<PlannedFile, string>;
}

/** Echo, where the application has scripts. @param force overwrites an echo.js. */
export async function planScripts(application: Application, force: boolean): Promise<Scripts> {
  const own = await ownEcho(application);
  if (own !== undefined) return own;
  const kit = await kitOf(application);
  if (kit !== undefined) return planKit(application, kit.module, kit.path);
  const entry = await firstOf(application, ENTRIES);
  if (entry === undefined) {
    const warning = `there is no ${FOLDER}/app.js: Echo is left to you (docs/laravel.md)`;
    return { files: [], packages: [], warning, kept: new Map() };
  }
  const existing = await firstOf(application, ['echo.js', 'echo.ts']);
  const isTyped = /\.tsx?$/.test(entry);
  const echo = await PlannedFile.open(application.dir, existing ?? `${FOLDER}/echo.${isTyped ? 'ts' : 'js'}`);
  const kept = new Map<PlannedFile, string>();
  if (!echo.exists || force) echo.text = echo.path.endsWith('.ts') ? ECHO_TS : ECHO_JS;
  else kept.set(echo, '--force replaces it');
  const importer = await PlannedFile.open(application.dir, entry);
  if (!(await importsEcho(application))) {
    const { text, newline } = importer;
    const gap = text === '' ? '' : text.endsWith('\n') ? newline : newline + newline;
    importer.text = `${text}${gap}import './echo';${newline}`;
  }
  return { files: [echo, importer], packages: ['laravel-echo', 'pusher-js'], kept };
}

async function kitOf(application: Application): Promise<{ module: string; path: string } | undefined> {
  const { nodePackages, has } = application;
  // Those with a bootstrap.js are of the older kind, whatever they use besides, and so are those that have an echo.js in use.
  if ((await has(`${FOLDER}/bootstrap.js`)) || (await importsEcho(application))) return undefined;
  for (const { framework, module, files } of KITS) {
    if (!nodePackages.has(framework)) continue;
    for (const name of files) if (await has(`${FOLDER}/${name}`)) return { module, path: `${FOLDER}/${name}` };
  }
  return undefined;
}

/** After the last import: `configureEcho` takes host, port and key from VITE_REVERB_*. */
async function planKit({ dir }: Application, module: string, path: string): Promise<Scripts> {
  const file = await PlannedFile.open(dir, path);
  if (!file.text.includes('configureEcho(')) {
    const { newline } = file;
    const last = [...file.text.matchAll(ANY_IMPORT)].at(-1);
    const at = last === undefined ? 0 : last.index + last[0].length;
    const code = [
      `import { configureEcho } from '${module}';`,
      '',
      'configureEcho({',
      "    broadcaster: 'reverb',",
      '});',
      '',
    ];
    file.text = file.text.slice(0, at) + code.join(newline) + file.text.slice(at);
  }
  return { files: [file], packages: [module, 'laravel-echo', 'pusher-js'], kept: new Map() };
}

/** One that is made in place, as skeletons had it until Laravel 10: it would replace that of an echo.js, whose import runs first. */
async function ownEcho({ dir }: Application): Promise<Scripts | undefined> {
  for (const name of ENTRIES) {
    const file = await PlannedFile.open(dir, `${FOLDER}/${name}`);
    const code = file.text.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
    if (!/\bnew Echo\s*\(/.test(code)) continue;
    const rest = { files: [], packages: ['laravel-echo', 'pusher-js'], kept: new Map() };
    if (/\bbroadcaster:\s*['"]reverb['"]/.test(code)) return rest;
    return {
      ...rest,
      warning: `${file.path} makes an Echo, which stays: give it broadcaster 'reverb' and VITE_REVERB_*`,
    };
  }
  return undefined;
}

async function importsEcho({ dir }: Application): Promise<boolean> {
  for (const name of ENTRIES) {
    const { text } = await PlannedFile.open(dir, `${FOLDER}/${name}`);
    if (IMPORT.test(text)) return true;
  }
  return false;
}

async function firstOf({ has }: Application, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) if (await has(`${FOLDER}/${name}`)) return `${FOLDER}/${name}`;
  return undefined;
}
