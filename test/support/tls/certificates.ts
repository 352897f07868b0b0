import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type CertificateName = 'first' | 'second' | 'expired' | 'weak';

export interface TestPair {
  readonly certPath: string;
  readonly keyPath: string;
  readonly cert: string;
  readonly key: string;
}

/** One of the committed pairs; see README.md beside this file. */
export function testPair(name: CertificateName): TestPair {
  const [certPath, keyPath] = ['cert', 'key'].map((kind) => join(import.meta.dirname, `${name}.test-${kind}.pem`)) as [
    string,
    string,
  ];
  return { certPath, keyPath, cert: readFileSync(certPath, 'utf8'), key: readFileSync(keyPath, 'utf8') };
}

/** A folder of its own for a pair that changes, as a renewal changes it. */
export class CertificateFolder {
  private readonly path = mkdtempSync(join(tmpdir(), 'pogo-tls-'));
  readonly certPath = join(this.path, 'cert.pem');
  readonly keyPath = join(this.path, 'key.pem');

  /** Writes a file with any name, and resolves to its path. */
  write(name: string, content: string | Buffer): string {
    const path = join(this.path, name);
    writeFileSync(path, content);
    return path;
  }

  /** Puts a pair, or halves of two, where {@link certPath} and {@link keyPath} are. */
  put({ cert, key }: Pick<TestPair, 'cert' | 'key'>): this {
    this.write('cert.pem', cert);
    this.write('key.pem', key);
    return this;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
