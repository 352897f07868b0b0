import { chmod, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { createTwoFilesPatch } from 'diff';
import { LaravelInstallError } from './install-error.js';

const SECRET_LINE = /^([-+]\s*\w*(?:SECRET|PASSWORD|TOKEN|PRIVATE)\w*\s*=).+$/gm;

/** A file of the application, as it is and as it should be. Nothing is written before {@link write}. */
export class PlannedFile {
  text: string;

  private constructor(
    /** Below the application's folder. */
    readonly path: string,
    /** Where it really is: links are followed. */
    private readonly realPath: string,
    readonly before: string | undefined,
    private readonly mode: number | undefined,
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
      return new PlannedFile(path, real, await readFile(real, 'utf8'), (await stat(real)).mode & 0o777);
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
    return patch.replace(/^=+\n/, '').replace(SECRET_LINE, '$1<redacted>');
  }

  /** Whole or not at all; keeps the file's mode. @throws LaravelInstallError */
  async write(): Promise<void> {
    const temporary = `${this.realPath}.pogo-${process.pid}`;
    try {
      await mkdir(dirname(this.realPath), { recursive: true });
      await writeFile(temporary, this.text, { flag: 'wx' });
      if (this.mode !== undefined) await chmod(temporary, this.mode);
      await rename(temporary, this.realPath);
    } catch (error) {
      await rm(temporary, { force: true });
      throw new LaravelInstallError(`${this.path} cannot be written (${codeOf(error)}): nothing after it was changed`);
    }
  }
}

/** The file that a path leads to, be it there or not. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw new LaravelInstallError(`${path} cannot be read (${codeOf(error)})`);
    const parent = dirname(path);
    return parent === path ? path : join(await realPlace(parent), path.slice(parent.length + 1));
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}
