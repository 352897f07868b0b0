import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LaravelInstallError } from './install-error.js';

const OLDEST = 11;
const NEWEST = 13;

interface Composer {
  readonly require?: Readonly<Record<string, string>>;
  readonly packages?: readonly { readonly name: string; readonly version: string }[];
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** What kind of Laravel application it is. */
export interface Application {
  readonly dir: string;
  /** Of laravel/framework. */
  readonly major: number;
  readonly isNewerThanKnown: boolean;
  readonly hasPusherLibrary: boolean;
  /** Names in package.json; empty where there is none. */
  readonly nodePackages: ReadonlySet<string>;
  readonly packageManager: 'npm' | 'pnpm' | 'yarn' | 'bun';
  readonly has: (path: string) => Promise<boolean>;
}

/** @throws LaravelInstallError when it is none, or too old. */
export async function findApplication(dir: string): Promise<Application> {
  const has = (path: string) => exists(join(dir, path));
  const composer = await readJson<Composer>(dir, 'composer.json');
  const constraint = composer?.require?.['laravel/framework'];
  if (composer === undefined || constraint === undefined || !(await has('artisan'))) {
    throw new LaravelInstallError(
      `${dir} is no Laravel application: there must be artisan, and laravel/framework in composer.json. Name its folder: pogo laravel:install path/to/app`,
    );
  }
  const lock = await readJson<Composer>(dir, 'composer.lock');
  const major = majorOf(lock?.packages?.find(({ name }) => name === 'laravel/framework')?.version ?? constraint);
  if (major < OLDEST) {
    throw new LaravelInstallError(
      `this is Laravel ${major}: ${OLDEST} or newer is needed, or set it up by hand (docs/laravel.md)`,
    );
  }
  const manifest = await readJson<Manifest>(dir, 'package.json');
  return {
    dir,
    major,
    isNewerThanKnown: major > NEWEST,
    hasPusherLibrary:
      composer.require?.['pusher/pusher-php-server'] !== undefined ||
      composer.require?.['laravel/reverb'] !== undefined,
    nodePackages: new Set(Object.keys({ ...manifest?.dependencies, ...manifest?.devDependencies })),
    packageManager: await packageManagerOf(has),
    has,
  };
}

/** The newest that a version or a constraint such as `^11.0|^12.0` names. */
function majorOf(version: string): number {
  const majors = [...version.matchAll(/(?:^|[\s|^~>=v,])(\d+)(?=\.|\s|$|\||,)/g)].map(([, major]) => Number(major));
  if (majors.length === 0)
    throw new LaravelInstallError(`laravel/framework ${version} in composer.json is no version that can be told`);
  return Math.max(...majors);
}

async function packageManagerOf(has: (path: string) => Promise<boolean>): Promise<Application['packageManager']> {
  if (await has('pnpm-lock.yaml')) return 'pnpm';
  if (await has('yarn.lock')) return 'yarn';
  return (await has('bun.lock')) || (await has('bun.lockb')) ? 'bun' : 'npm';
}

async function readJson<T>(dir: string, path: string): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(join(dir, path), 'utf8');
  } catch {
    return undefined;
  }
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new LaravelInstallError(`${path} is no valid JSON`);
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
