import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { relative } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CertificateFolder, testPair } from '../../../../test/support/tls/certificates.js';
import { inspectTls, looksLikeKey, type TlsProblem } from './tls-files.js';

const FIRST = testPair('first');
const SECOND = testPair('second');

const folder = new CertificateFolder();
afterAll(() => folder.remove());

/** Problems of a pair whose files hold that. Whatever is wrong, no line of a key is in a sentence. */
function problemsOf({ cert = FIRST.cert, key = FIRST.key }: { cert?: string | Buffer; key?: string | Buffer }) {
  const { pair, problems } = inspectTls(folder.write('cert.pem', cert), folder.write('key.pem', key));
  expect(pair === undefined).toBe(problems.length > 0);
  for (const line of [FIRST.key, SECOND.key, String(key), String(cert)].flatMap((text) => text.split(/\r?\n|\\n/))) {
    if (line.length > 16 && !line.startsWith('-----')) expect(JSON.stringify(problems)).not.toContain(line);
  }
  return problems;
}

/** Root may read everything, and CI is root in its container. */
function asNobody<T>(act: () => T): T {
  if (process.geteuid?.() !== 0) return act();
  process.seteuid?.(65_534);
  try {
    return act();
  } finally {
    process.seteuid?.(0);
  }
}

const certificate = (sentence: RegExp): TlsProblem => problem('tls_cert', sentence);
const key = (sentence: RegExp): TlsProblem => problem('tls_key', sentence);
const problem = (setting: TlsProblem['setting'], sentence: RegExp): TlsProblem => ({
  setting,
  sentence: expect.stringMatching(sentence) as string,
});

describe('A certificate and its key', () => {
  it.each(['first', 'second'] as const)('are read, with what the certificate says of itself: %s', (name) => {
    const { certPath, keyPath, cert, key } = testPair(name);
    const { pair, problems } = inspectTls(certPath, keyPath);
    expect(problems).toEqual([]);
    expect(pair?.cert.trim()).toBe(cert.trim());
    expect(pair?.key.trim()).toBe(key.trim());
    expect(pair?.names).toEqual(expect.arrayContaining(['localhost', '127.0.0.1']));
    expect([pair?.validFrom, pair?.validTo]).toEqual([new Date('2020-01-01'), new Date('2120-01-01')]);
  });

  it('may be followed by intermediate certificates', () => {
    const chain = FIRST.cert + SECOND.cert;
    const { pair } = inspectTls(folder.write('cert.pem', chain), FIRST.keyPath);
    expect(pair?.cert).toBe(chain);
  });

  it.each<[string, { cert?: string; key?: string }]>([
    ['a byte order mark', { cert: `\ufeff${FIRST.cert}`, key: `\ufeff${FIRST.key}` }],
    ['the lines of Windows', { cert: FIRST.cert.replaceAll('\n', '\r\n'), key: FIRST.key.replaceAll('\n', '\r\n') }],
    ['text around them', { cert: `Bag Attributes: ä\n${FIRST.cert}bye`, key: `Key Attributes\n${FIRST.key}` }],
    ['one file for both', { cert: FIRST.key + FIRST.cert, key: FIRST.cert + FIRST.key }],
    ['no empty line at the end', { cert: FIRST.cert.trim() + SECOND.cert, key: FIRST.key.trim() }],
  ])('may come with %s', (_what, files) => {
    expect(problemsOf(files)).toEqual([]);
  });

  it('may be a key in the older format', () => {
    const older = createPrivateKey(SECOND.key).export({ type: 'pkcs1', format: 'pem' });
    expect(problemsOf({ cert: SECOND.cert, key: older })).toEqual([]);
  });

  it('that has expired, or names nobody, are still a pair', () => {
    const { certPath, keyPath } = testPair('expired');
    expect(inspectTls(certPath, keyPath)).toMatchObject({ pair: { names: [], validTo: new Date('2021-01-01') } });
  });
});

describe('A file that is not used', () => {
  it('does not exist, both are named', () => {
    expect(inspectTls('/no/cert.pem', '/no/key.pem').problems).toEqual([
      { setting: 'tls_cert', sentence: 'there is no such file' },
      { setting: 'tls_key', sentence: 'there is no such file' },
    ]);
  });

  it('is one whose relative path leads elsewhere: that place is named', () => {
    const { problems } = inspectTls('certs/none.pem', undefined);
    expect(problems).toEqual([certificate(/^there is no such file \(\/.*\/certs\/none\.pem\)$/)]);
    expect(inspectTls(relative('.', FIRST.certPath), FIRST.keyPath).problems).toEqual([]);
  });

  it('is a folder', () => {
    expect(inspectTls(import.meta.dirname, undefined).problems).toEqual([certificate(/^must be a file$/)]);
  });

  it.skipIf(process.platform === 'win32')('may not be read', () => {
    const path = folder.write('closed.pem', FIRST.key);
    chmodSync(path, 0);
    expect(asNobody(() => inspectTls(undefined, path).problems)).toEqual([
      key(/^this process \(user id [1-9]\d*\) may not read it: it needs the right to read the file and to enter/),
    ]);
  });

  it('is found although there is no path of the other', () => {
    expect(inspectTls(undefined, '/no/key.pem').problems).toEqual([key(/no such file/)]);
    expect(inspectTls(FIRST.certPath, undefined)).toEqual({ pair: undefined, problems: [] });
    expect(inspectTls(undefined, undefined)).toEqual({ pair: undefined, problems: [] });
  });

  it.each<[string, { cert?: string | Buffer; key?: string | Buffer }, readonly TlsProblem[]]>([
    ['empty', { cert: ' \n', key: '' }, [certificate(/is empty; it must hold -----BEGIN CERT/), key(/is empty;/)]],
    [
      'text',
      { cert: 'hello', key: 'hello' },
      [certificate(/not PEM .*openssl.*; it must hold -----BEGIN CERTIFICATE-----$/), key(/-----BEGIN PRIVATE KEY/)],
    ],
    ['DER', { cert: new X509Certificate(FIRST.cert).raw }, [certificate(/not PEM .*-inform der.*pkcs12/)]],
    [
      'the other file',
      { cert: FIRST.key, key: FIRST.cert },
      [
        certificate(/holds PRIVATE KEY; it must hold -----BEGIN CERT/),
        key(/holds CERTIFICATE; it must hold -----BEGIN P/),
      ],
    ],
    ['cut off', { cert: FIRST.cert.slice(0, 300) }, [certificate(/is cut off; it must hold/)]],
    ['damaged', { cert: FIRST.cert.replace('MII', 'XXX') }, [certificate(/^certificate 1 of the file is damaged$/)]],
    [
      'damaged further down',
      { cert: FIRST.cert + SECOND.cert.replace('MII', 'XXX') },
      [certificate(/^certificate 2 of the file is damaged$/)],
    ],
    [
      'written with \\n for the ends of its lines',
      { cert: FIRST.cert.replaceAll('\n', '\\n'), key: FIRST.key.replaceAll('\n', '\\n') },
      [certificate(/damaged: its lines end in \\n/), key(/cannot be read: its lines end in \\n/)],
    ],
    ['a damaged key', { key: FIRST.key.replace(/M..../, 'XXXXX') }, [key(/^the key cannot be read$/)]],
    ['a key for SSH', { key: FIRST.key.replaceAll('PRIVATE', 'OPENSSH PRIVATE') }, [key(/it is one for SSH$/)]],
    [
      'the public key',
      { key: createPublicKey(FIRST.key).export({ type: 'spki', format: 'pem' }) },
      [key(/holds PUBLIC KEY; it must hold -----BEGIN PRIVATE KEY-----$/)],
    ],
    [
      'a key with a passphrase',
      {
        key: createPrivateKey(FIRST.key).export({
          type: 'pkcs8',
          format: 'pem',
          cipher: 'aes-256-cbc',
          passphrase: 'p',
        }),
      },
      [key(/has a passphrase.*openssl pkey -in OLD -out NEW/)],
    ],
    [
      'an older key with a passphrase',
      {
        cert: SECOND.cert,
        key: createPrivateKey(SECOND.key).export({
          type: 'pkcs1',
          format: 'pem',
          cipher: 'aes-256-cbc',
          passphrase: 'p',
        }),
      },
      [key(/has a passphrase/)],
    ],
    [
      'the key of another certificate',
      { key: SECOND.key },
      [key(/does not belong to the certificate in \/.*cert\.pem \(localhost, 127\.0\.0\.1, .*\): take the one/)],
    ],
    [
      'a chain in the wrong order',
      { cert: SECOND.cert + FIRST.cert },
      [certificate(/belongs to certificate 2 of the file: the server's own must be the first/)],
    ],
    ['too weak', testPair('weak'), [certificate(/^OpenSSL refuses the certificate: ee key too small$/)]],
  ])('is %s', (_what, files, expected) => {
    expect(problemsOf(files)).toEqual(expected);
  });
});

describe('What looks like a key', () => {
  it.each([FIRST.key, SECOND.key, FIRST.cert, FIRST.key.replaceAll('\n', '\\n'), FIRST.key.split('\n')[1] ?? ''])(
    'is hidden: %#',
    (value) => {
      expect(looksLikeKey(value)).toBe(true);
    },
  );

  it.each(['/etc/letsencrypt/live/ws.example.com/privkey.pem', 'key.pem', 'MyFolder/key.pem', '8080'])(
    'is not %s',
    (value) => {
      expect(looksLikeKey(value)).toBe(false);
    },
  );
});
