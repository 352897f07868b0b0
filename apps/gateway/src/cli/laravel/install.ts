import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { findApplication, type Application } from './application.js';
import { EnvFile } from './env-file.js';
import { LaravelInstallError } from './install-error.js';
import { planScripts } from './js-files.js';
import { addReverbConnection, createChannels, routeChannels, usesConnection } from './php-files.js';
import { PlannedFile } from './planned-file.js';

export { LaravelInstallError } from './install-error.js';

export interface LaravelInstallOptions {
  /** Folder of the application. */
  readonly dir: string;
  /** A new key and secret, and a new echo.js, even where there are some. */
  readonly force?: boolean;
  /** Writes nothing: the result has the differences. */
  readonly dryRun?: boolean;
  /** Where browsers and Laravel find the server. */
  readonly host?: string;
  readonly port?: number;
  readonly scheme?: 'http' | 'https';
  /** Replaced in tests. */
  readonly random?: (bytes: number) => Buffer;
}

export interface LaravelChange {
  readonly path: string;
  readonly action: 'created' | 'changed' | 'unchanged' | 'kept';
  /** Unified, secrets redacted; "" when nothing changes. */
  readonly diff: string;
  readonly note?: string;
}

export interface LaravelInstallResult {
  /** Major version. */
  readonly laravel: string;
  readonly changes: readonly LaravelChange[];
  readonly nextSteps: readonly string[];
  readonly warnings: readonly string[];
}

const INSTALLERS: Readonly<Record<Application['packageManager'], string>> = {
  npm: 'npm install --save-dev',
  pnpm: 'pnpm add --save-dev',
  yarn: 'yarn add --dev',
  bun: 'bun add --dev',
};

/** What the skeletons say when nobody has chosen a broadcaster. */
const NOT_CHOSEN = new Set(['', 'log', 'null']);

/**
 * Sets up broadcasting through the gateway in a Laravel application, as `php artisan install:broadcasting` and a person would:
 * .env, config/broadcasting.php, routes/channels.php, bootstrap/app.php and Echo. What is there already is kept; a second
 * run changes nothing. Everything is planned before the first file is written.
 * @throws LaravelInstallError when it is no application of Laravel 11 or newer, or a file cannot be read or written.
 */
export async function installLaravel(options: LaravelInstallOptions): Promise<LaravelInstallResult> {
  const { force = false, dryRun = false } = options;
  checkAddress(options);
  const application = await findApplication(resolve(options.dir));
  const { dir } = application;
  const warnings: string[] = [];
  const env = await planEnv(dir, options, warnings);
  const example = await planExample(dir);
  const config = await PlannedFile.open(dir, 'config/broadcasting.php');
  const channels = await PlannedFile.open(dir, 'routes/channels.php');
  const bootstrap = await PlannedFile.open(dir, 'bootstrap/app.php');
  const hasProvider = await application.has('app/Providers/BroadcastServiceProvider.php');
  const providers = hasProvider ? [await PlannedFile.open(dir, 'config/app.php')] : [];
  createChannels(channels);
  const leftovers = [addReverbConnection(config), usesConnection(config), routeChannels(bootstrap, ...providers)];
  const scripts = await planScripts(application, force);
  warnings.push(...[...leftovers, scripts.warning].filter((text) => text !== undefined));
  if (application.isNewerThanKnown)
    warnings.push(`Laravel ${application.major} is newer than this installer: look at what it did`);
  const examples = example === undefined ? [] : [example];
  const files = [env, ...examples, config, channels, bootstrap, ...providers, ...scripts.files];
  const changes = files.map((file) => changeOf(file, scripts.kept.get(file)));
  if (!dryRun) for (const file of files) if (file.hasChanged) await file.write();
  return { laravel: String(application.major), changes, warnings, nextSteps: nextSteps(application, scripts.packages) };
}

function checkAddress({ host, port, scheme }: LaravelInstallOptions): void {
  if (host !== undefined && !/^[\w.:[\]-]+$/.test(host))
    throw new LaravelInstallError(`${JSON.stringify(host)} is no host`);
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536)) {
    throw new LaravelInstallError('the port must be a number from 1 to 65535');
  }
  if (scheme !== undefined && !['http', 'https'].includes(scheme))
    throw new LaravelInstallError('the scheme is http or https');
}

async function planEnv(dir: string, options: LaravelInstallOptions, warnings: string[]): Promise<PlannedFile> {
  const { force = false, host = 'localhost', port = 8_080, scheme = 'http', random = randomBytes } = options;
  // Deployments link it to a place of their own.
  const file = await PlannedFile.open(dir, '.env', true);
  if (!file.exists) file.text = (await PlannedFile.open(dir, '.env.example')).text;
  const env = new EnvFile(file);
  const connection = env.get('BROADCAST_CONNECTION');
  if (force || connection === undefined || NOT_CHOSEN.has(connection)) {
    if (connection !== 'reverb') env.set('BROADCAST_CONNECTION', 'reverb');
  } else if (connection !== 'reverb') {
    warnings.push(`BROADCAST_CONNECTION is ${connection} in .env and stays so: set it to reverb, or use --force`);
  }
  const token = (bytes: number) => random(bytes).toString('hex');
  env.fill('REVERB_APP_ID', String(100_000 + (random(4).readUInt32BE() % 900_000)));
  for (const [name, bytes] of [
    ['REVERB_APP_KEY', 10],
    ['REVERB_APP_SECRET', 20],
    ['POGO_WEBHOOK_SECRET', 20],
  ] as const) {
    if (force) env.set(name, token(bytes));
    else env.fill(name, token(bytes));
  }
  for (const [name, value, asked] of [
    ['REVERB_HOST', `"${host}"`, options.host],
    ['REVERB_PORT', String(port), options.port],
    ['REVERB_SCHEME', scheme, options.scheme],
  ] as const) {
    const current = env.get(name) ?? '';
    if (current === '' || (force && asked !== undefined && current !== String(asked))) env.set(name, value);
    else if (asked !== undefined && current !== String(asked))
      warnings.push(`${name} is ${current} in .env and stays so: change it there, or use --force`);
  }
  for (const name of ['APP_KEY', 'HOST', 'PORT', 'SCHEME']) env.fill(`VITE_REVERB_${name}`, `"\${REVERB_${name}}"`);
  env.save();
  return file;
}

/** Names without values, for whoever sets the application up next. */
async function planExample(dir: string): Promise<PlannedFile | undefined> {
  const file = await PlannedFile.open(dir, '.env.example');
  if (!file.exists) return undefined;
  const env = new EnvFile(file);
  for (const name of ['REVERB_APP_ID', 'REVERB_APP_KEY', 'REVERB_APP_SECRET', 'POGO_WEBHOOK_SECRET']) {
    if (env.get(name) === undefined) env.set(name, '');
  }
  env.fill('REVERB_HOST', '"localhost"');
  env.fill('REVERB_PORT', '8080');
  env.fill('REVERB_SCHEME', 'http');
  for (const name of ['APP_KEY', 'HOST', 'PORT', 'SCHEME']) env.fill(`VITE_REVERB_${name}`, `"\${REVERB_${name}}"`);
  env.save();
  return file;
}

function changeOf(file: PlannedFile, kept: string | undefined): LaravelChange {
  const diff = file.diff();
  if (file.hasChanged) return { path: file.path, action: file.exists ? 'changed' : 'created', diff };
  return {
    path: file.path,
    action: kept === undefined ? 'unchanged' : 'kept',
    diff,
    ...(kept === undefined ? {} : { note: kept }),
  };
}

function nextSteps(
  { hasPusherLibrary, nodePackages, packageManager, dir }: Application,
  packages: readonly string[],
): string[] {
  const missing = packages.filter((name) => !nodePackages.has(name));
  const env = join(dir, '.env');
  return [
    ...(hasPusherLibrary ? [] : ['composer require pusher/pusher-php-server   # what Laravel publishes with']),
    ...(missing.length === 0 ? [] : [`${INSTALLERS[packageManager]} ${missing.join(' ')}`]),
    ...(packages.length === 0
      ? []
      : [`${packageManager} run build   # or dev: VITE_REVERB_* are read when scripts are built`]),
    'php artisan config:clear',
    'php artisan queue:work   # events that ShouldBroadcast are sent by a worker',
    `pogo start --env-file ${/\s/.test(env) ? `"${env}"` : env}   # the server takes REVERB_* from there`,
  ];
}
