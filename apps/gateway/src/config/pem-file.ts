import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';

/** Why a file is not used: a sentence that goes on after the file's name and never holds what is in a key. */
export class UnusableFile extends Error {}

export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY`, `EC PARAMETERS`, … */
  readonly label: string;
  /** From the BEGIN line to the END line. */
  readonly pem: string;
}

/** A file with PEM blocks in it. What stands between them is left out, a byte order mark as well. */
export class PemFile {
  readonly blocks: readonly PemBlock[];
  private readonly text: string;

  /** @throws UnusableFile */
  constructor(path: string) {
    this.text = readText(path);
    this.blocks = [...this.text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[^]*?-----END \1-----/g)].map(
      ([pem, label = '']) => ({ label, pem }),
    );
  }

  /** That none of the blocks is of the kind that is needed, and what the file is instead. */
  lacks(label: string): UnusableFile {
    return new UnusableFile(`${this.whatItIs()}; it must hold -----BEGIN ${label}-----`);
  }

  /** A guess why the inside of a block is damaged; may be empty. */
  get damage(): string {
    return this.text.includes('\\n') ? ': its lines end in \\n, written as two characters' : '';
  }

  private whatItIs(): string {
    if (this.text.trim() === '') return 'the file is empty';
    if (this.blocks.length > 0) return `the file holds ${this.blocks.map(({ label }) => label).join(', ')}`;
    if (this.text.includes('-----BEGIN')) return 'the file is cut off';
    return 'the file is not PEM (`openssl x509 -inform der` converts DER, `openssl pkcs12 -nodes` PKCS#12)';
  }
}

/** @throws UnusableFile */
function readText(path: string): string {
  const where = isAbsolute(path) ? '' : ` (${resolve(path)})`;
  try {
    // A pipe would be empty the second time, and might never end.
    if (!statSync(path).isFile()) throw new UnusableFile(`must be a file${where}`);
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (error instanceof UnusableFile) throw error;
    throw new UnusableFile(inTheWay((error as NodeJS.ErrnoException).code ?? 'unknown error', where));
  }
}

function inTheWay(code: string, where: string): string {
  if (code === 'ENOENT' || code === 'ENOTDIR') return `there is no such file${where}`;
  if (code !== 'EACCES' && code !== 'EPERM') return `cannot be read${where}: ${code}`;
  const id = process.geteuid?.();
  const who = id === undefined ? 'this process' : `this process (user id ${id})`;
  return `${who} may not read it${where}: it needs the right to read the file and to enter the folders above`;
}
