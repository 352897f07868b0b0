import { isUtf8 } from 'node:buffer';
import { chmod, chown, mkdir, readFile, readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { createTwoFilesPatch } from 'diff';
import { LaravelInstallError } from './install-error.js';

/** What a `.env` says of the server and need not hide. Everything else in it may be a secret, whatever its name. */
const PUBLIC_LINE =
  /^\s*(?:(?:export\s+)?(?:BROADCAST_CONNECTION|(?:VITE_)?REVERB_(?:APP_ID|APP_KEY|HOST|PORT|SCHEME))\s*=.*)?$/;
/** Where the value of a line begins; of a line that goes on with a value of several lines, all of it is one. */
const NAME = /^\s*(?:export\s+)?\w+\s*=/;

interface Access {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A file of the application, as it is and as it should be. Nothing is written before {@link write}. */
export class PlannedFile {
  text: string;

  private constructor(
    /** Below the application's folder. */
    readonly path: string,
    /** Where it really is: links are followed. */
    private readonly realPath: string,
    readonly before: string | undefined,
    /** Who may read it. */
    private readonly access: Access | undefined,
    /** As latin1, bytes that are no UTF-8 survive. */
    private readonly encoding: 'utf8' | 'latin1' = 'utf8',
  ) {
    this.text = before ?? '';
  }

  /** @param mayLeave it may be a link to somewhere outside of the application. @throws LaravelInstallError */
  static async open(dir: string, path: string, mayLeave = false): Promise<PlannedFile> {
    const linked = join(dir, path);
    const real = await realPlace(linked);
    if (!mayLeave && relative(await realpath(dir), real).startsWith(`..${sep}`)) {
      throw new LaravelInstallError(`${path} is a link out of the application: it is not followed`);
    }
    try {
      const { mode, uid, gid } = await stat(real);
      const bytes = await readFile(real);
      const encoding = isUtf8(bytes) ? 'utf8' : 'latin1';
      return new PlannedFile(path, real, bytes.toString(encoding), { mode: mode & 0o777, uid, gid }, encoding);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return new PlannedFile(path, real, undefined, undefined);
      throw new LaravelInstallError(`${path} cannot be read (${codeOf(error)})`);
    }
  }

  get exists(): boolean {
    return this.before !== undefined;
  }

  get hasChanged(): boolean {
    return this.before !== this.text && (this.exists || this.text !== '');
  }

  /** How its lines end. */
  get newline(): string {
    return this.text.includes('\r\n') ? '\r\n' : '\n';
  }

  /** Unified; secrets are not shown, and of a `.env` nothing but the lines that change. */
  diff(): string {
    if (!this.hasChanged) return '';
    const isEnv = this.path.startsWith('.env');
    const patch = createTwoFilesPatch(
      this.exists ? this.path : '/dev/null',
      this.path,
      this.before ?? '',
      this.text,
      undefined,
      undefined,
      { context: isEnv ? 0 : 3 },
    );
    const text = patch.replace(/^(?:Index: .*\n)?=+\n/, '');
    return isEnv ? redacted(text) : text;
  }

  /** Whole or not at all; keeps the file's mode and owner. @throws LaravelInstallError */
  async write(): Promise<void> {
    const temporary = `${this.realPath}.pogo-${process.pid}`;
    try {
      await mkdir(dirname(this.realPath), { recursive: true });
      const { access } = this;
      // From its first byte nobody reads it who could not read the file.
      const mode = access === undefined ? 0o666 : 0o600;
      await writeFile(temporary, this.text, { flag: 'wx', mode, encoding: this.encoding });
      if (access !== undefined) {
        // A web server that reads the file by its group, or owns it, still has to after root has installed.
        await chown(temporary, access.uid, access.gid).catch(() => undefined);
        await chmod(temporary, access.mode);
      }
      await rename(temporary, this.realPath);
    } catch (error) {
      await rm(temporary, { force: true });
      throw new LaravelInstallError(`${this.path} cannot be written (${codeOf(error)}): nothing after it was changed`);
    }
  }
}

/** A unified difference of a `.env` without what may be a secret. */
function redacted(patch: string): string {
  const [header, ...lines] = patch.split(/^(?=[-+ ](?![-+]{2} ))/m);
  return [
    header,
    ...lines.map((line) => {
      const [, text = '', rest = ''] = /^.(.*)([^]*)$/.exec(line) ?? [];
      return PUBLIC_LINE.test(text) ? line : `${line.charAt(0)}${NAME.exec(text)?.[0] ?? ''}<redacted>${rest}`;
    }),
  ].join('');
}

/** The file that a path leads to, be it there or not. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw new LaravelInstallError(`${path} cannot be read (${codeOf(error)})`);
    // A link to what is not there yet: of a deployment that links a .env before somebody writes it.
    const target = await readlink(path).catch(() => undefined);
    const parent = dirname(path);
    if (target !== undefined) return realPlace(resolve(parent, target));
    return parent === path ? path : join(await realPlace(parent), path.slice(parent.length + 1));
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}
