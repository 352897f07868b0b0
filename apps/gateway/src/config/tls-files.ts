import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { PemFile, UnusableFile } from './pem-file.js';

/** Where the server's certificate and its key are: paths of PEM files. */
export interface TlsFiles {
  readonly certPath: string;
  readonly keyPath: string;
}

/** What is in the files, checked: a chain and the key that belongs to it. */
export interface TlsPair {
  /** PEM, the server's own certificate first. */
  readonly cert: string;
  /** PEM. Never to be printed. */
  readonly key: string;
  /** Host names and IP addresses that the certificate is for, as it writes them (`*.example.com`). */
  readonly names: readonly string[];
  readonly validFrom: Date;
  readonly validTo: Date;
}

export interface TlsProblem {
  readonly setting: 'tls_cert' | 'tls_key';
  /** Goes on after the name of the setting and its value. */
  readonly sentence: string;
}

export interface TlsInspection {
  /** Undefined when there is a problem, or only one of the paths. */
  readonly pair: TlsPair | undefined;
  readonly problems: readonly TlsProblem[];
}

/** Whether somebody wrote a key, or any PEM, where something else belongs: such a value is never shown. */
export function looksLikeKey(value: string): boolean {
  return value.includes('-----BEGIN') || /^M[A-Za-z0-9+/=\s]{40,}$/.test(value);
}

/** Reads and checks both files, or the one whose path is given. Synchronous: it happens at start and on request only. */
export function inspectTls(certPath: string | undefined, keyPath: string | undefined): TlsInspection {
  const problems: TlsProblem[] = [];
  const attempt = <T>(setting: TlsProblem['setting'], path: string | undefined, read: (path: string) => T) => {
    try {
      return path === undefined ? undefined : read(path);
    } catch (error) {
      if (!(error instanceof UnusableFile)) throw error;
      problems.push({ setting, sentence: error.message });
      return undefined;
    }
  };
  const chain = attempt('tls_cert', certPath, readChain);
  const key = attempt('tls_key', keyPath, readKey);
  if (chain === undefined || key === undefined) return { pair: undefined, problems };
  const problem = problemBetween(chain, key, certPath ?? '');
  return problem === undefined ? { pair: toPair(chain, key), problems } : { pair: undefined, problems: [problem] };
}

interface Chain {
  readonly pem: string;
  readonly certificates: readonly X509Certificate[];
}

interface Key {
  readonly pem: string;
  readonly key: KeyObject;
}

function readChain(path: string): Chain {
  const file = new PemFile(path);
  const blocks = file.blocks.filter(({ label }) => /^(?:X509 |TRUSTED )?CERTIFICATE$/.test(label));
  if (blocks.length === 0) throw file.lacks('CERTIFICATE');
  const certificates = blocks.map(({ pem }, i) => {
    try {
      return new X509Certificate(pem);
    } catch {
      throw new UnusableFile(`certificate ${i + 1} of the file is damaged${file.damage}`);
    }
  });
  return { pem: blocks.map(({ pem }) => `${pem}\n`).join(''), certificates };
}

function readKey(path: string): Key {
  const file = new PemFile(path);
  const block = file.blocks.find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (block === undefined) throw file.lacks('PRIVATE KEY');
  const { pem, label } = block;
  if (pem.includes('ENCRYPTED')) {
    throw new UnusableFile(
      'the key has a passphrase, and nobody is there to type it: `openssl pkey -in OLD -out NEW` makes a key without one',
    );
  }
  try {
    return { pem: `${pem}\n`, key: createPrivateKey(pem) };
  } catch {
    // What OpenSSL says is not for people, and no part of a key may get into a message.
    throw new UnusableFile(
      `the key cannot be read${label.startsWith('OPENSSH') ? ': it is one for SSH' : file.damage}`,
    );
  }
}

/** What is wrong although each file by itself is right. */
function problemBetween({ pem, certificates }: Chain, key: Key, certPath: string): TlsProblem | undefined {
  const owner = certificates.findIndex((certificate) => certificate.checkPrivateKey(key.key));
  if (owner < 0) {
    const names = certificates.slice(0, 1).flatMap(namesOf).join(', ');
    const whose = `the certificate in ${certPath}${names === '' ? '' : ` (${names})`}`;
    return { setting: 'tls_key', sentence: `the key does not belong to ${whose}: take the one it was issued for` };
  }
  if (owner > 0) {
    const order = "the server's own must be the first, then the intermediate ones";
    return { setting: 'tls_cert', sentence: `the key belongs to certificate ${owner + 1} of the file: ${order}` };
  }
  try {
    createSecureContext({ cert: pem, key: key.pem });
    return undefined;
  } catch (error) {
    const { reason = 'unknown reason' } = error as { readonly reason?: string };
    return { setting: 'tls_cert', sentence: `OpenSSL refuses the certificate: ${reason}` };
  }
}

function toPair({ pem, certificates }: Chain, key: Key): TlsPair {
  const [own] = certificates as [X509Certificate];
  const [validFrom, validTo] = [new Date(own.validFrom), new Date(own.validTo)];
  return { cert: pem, key: key.pem, names: namesOf(own), validFrom, validTo };
}

/** `subjectAltName` is undefined for a certificate without one, whatever its type says. */
function namesOf({ subjectAltName }: X509Certificate): string[] {
  return [...(subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)].map(([, name = '']) => name);
}
