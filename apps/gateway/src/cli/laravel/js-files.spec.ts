import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installLaravel, type LaravelInstallResult } from './install.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pogo-scripts-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function install(scripts: Readonly<Record<string, string>>, framework = 'axios'): Promise<LaravelInstallResult> {
  const tree = {
    artisan: '',
    'composer.json': '{"require":{"laravel/framework":"^12.0"}}',
    'package.json': JSON.stringify({ dependencies: { [framework]: '^3' } }),
    'bootstrap/app.php': "<?php\n->withRouting(\n    channels: 'c',\n);\n",
    ...Object.fromEntries(Object.entries(scripts).map(([name, text]) => [`resources/js/${name}`, text])),
  };
  for (const [path, text] of Object.entries(tree)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
  return installLaravel({ dir });
}

const read = (name: string) => readFile(join(dir, 'resources/js', name), 'utf8');
const scriptsOf = ({ changes }: LaravelInstallResult) =>
  changes.filter(({ path }) => path.startsWith('resources/')).map(({ path, action }) => `${action} ${path}`);

const HOOKS =
  "import { configureEcho } from '@laravel/echo-vue';\n\nconfigureEcho({\n    broadcaster: 'reverb',\n});\n";

describe('The hooks of a starter kit are configured below the last import, which is not', () => {
  it.each([
    ['import.meta.glob', "import a from 'a';\n", "\nimport.meta.glob([\n    '../images/**',\n    '../fonts/**'\n]);\n"],
    ['a module that is loaded later', "import a from 'a'\n", "import('./b').then(start)\nconst c = [\n  'c'\n]\n"],
    ['what is behind a comment', "import {\n  a,\n} from 'a' // b\n", "const c = {\n  d: 'd'\n}\n"],
  ])('%s', async (_what, imports, rest) => {
    await install({ 'app.ts': imports + rest }, 'vue');
    expect(await read('app.ts')).toBe(imports + HOOKS + rest);
  });
});

describe('An Echo that is there already', () => {
  const own = (broadcaster: string) => `window.Echo = new Echo({\n    broadcaster: '${broadcaster}',\n});\n`;

  it.each(['axios', 'vue'])(
    'in bootstrap.js or app.ts is left alone, and told unless it is right (%s)',
    async (framework) => {
      const name = framework === 'vue' ? 'app.ts' : 'bootstrap.js';
      const pusher = await install({ [name]: own('pusher') }, framework);
      expect(pusher.warnings).toEqual([
        `resources/js/${name} makes an Echo, which stays: give it broadcaster 'reverb' and VITE_REVERB_*`,
      ]);
      expect(scriptsOf(pusher)).toEqual([]);
      expect(pusher.nextSteps.join()).toContain('laravel-echo pusher-js');
      const reverb = await install({ [name]: own('reverb') }, framework);
      expect([reverb.warnings, scriptsOf(reverb)]).toEqual([[], []]);
    },
  );

  it('in a comment is none', async () => {
    const commented = own('pusher').replaceAll(/^/gm, '// ');
    expect(scriptsOf(await install({ 'bootstrap.js': `/* new Echo() */\n${commented}` }))).toEqual([
      'created resources/js/echo.js',
      'changed resources/js/bootstrap.js',
    ]);
  });

  it('in an echo.ts that is imported needs no hooks beside it', async () => {
    const scripts = {
      'app.ts': "import './bootstrap';\n",
      'bootstrap.ts': "import './echo';\n",
      'echo.ts': own('reverb'),
    };
    expect(scriptsOf(await install(scripts, 'vue'))).toEqual([
      'kept resources/js/echo.ts',
      'unchanged resources/js/bootstrap.ts',
    ]);
  });
});
