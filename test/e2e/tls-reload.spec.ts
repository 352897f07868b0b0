import { rmSync } from 'node:fs';
import { once } from 'node:events';
import { reloadCertificate } from '@pogo/gateway';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestGateway } from '../support/gateway.js';
import { Log } from '../support/log.js';
import { CertificateFolder, testPair } from '../support/tls/certificates.js';
import { dialTls, servedCertificate } from '../support/tls/sockets.js';
import { trust } from '../support/tls/trust.js';

const FIRST = testPair('first');
const SECOND = testPair('second');

let distrust: () => void;
beforeAll(() => {
  distrust = trust(FIRST.cert, SECOND.cert);
});
afterAll(() => distrust());

let folder: CertificateFolder;
let log: Log;
beforeEach(() => {
  folder = new CertificateFolder().put(FIRST);
  log = new Log();
});
afterEach(() => folder.remove());

/** A gateway whose certificate stands in {@link folder}. */
function start(settings: Readonly<Record<string, string>> = {}): Promise<TestGateway> {
  return TestGateway.start({
    settings: { tls_cert: folder.certPath, tls_key: folder.keyPath, ...settings },
    logger: log,
  });
}

describe('A certificate that is read again', () => {
  let gateway: TestGateway;
  beforeEach(async () => {
    gateway = await start();
  });
  afterEach(() => gateway.stop());

  it('is for new connections; those that are open stay, and everybody gets events', async () => {
    const old = await gateway.connect();
    await old.subscribe('news');
    expect(await servedCertificate(gateway)).toBe('Test certificate 1');
    folder.put(SECOND);
    log.take('certificate');
    expect(reloadCertificate(gateway.app)).toBe(true);
    expect(log.take('certificate')).toEqual([
      expect.stringMatching(
        /^log new connections get the certificate in .*cert\.pem: localhost, .*, valid until 2120-01-01$/,
      ),
    ]);
    expect(await servedCertificate(gateway)).toBe('Test certificate 2');
    expect(await servedCertificate(gateway, { servername: 'localhost' })).toBe('Test certificate 2');
    const young = await gateway.connect();
    await young.subscribe('news');
    expect((await gateway.http.publish('news', 'headline', '1')).status).toBe(200);
    expect([await old.receive('headline'), await young.receive('headline')]).toHaveLength(2);
  });

  it('is shown to a client as well that comes back with a session of the old one', async () => {
    const before = await dialTls(gateway);
    const [session] = (await once(before, 'session')) as [Buffer];
    before.destroy();
    const again = await dialTls(gateway, { session });
    expect(again.isSessionReused()).toBe(true);
    again.destroy();
    folder.put(SECOND);
    reloadCertificate(gateway.app);
    const after = await dialTls(gateway, { session });
    expect([after.isSessionReused(), after.getPeerCertificate().subject.CN]).toEqual([false, 'Test certificate 2']);
    after.destroy();
  });

  it.each<[string, () => void, RegExp]>([
    [
      'half of a new pair',
      () => void folder.put({ ...FIRST, key: SECOND.key }),
      /tls_key \/.*key\.pem: the key does not belong/,
    ],
    ['something else', () => void folder.put({ cert: 'x', key: 'y' }), /tls_cert .*not PEM.*; tls_key .*not PEM/],
    ['no certificate any more', () => rmSync(folder.certPath), /tls_cert \/.*cert\.pem: there is no such file$/],
  ])('and turns out to be %s leaves the old one, says so once, and may be mended', async (_what, spoil, reason) => {
    spoil();
    log.take('certificate');
    expect(reloadCertificate(gateway.app)).toBe(false);
    const [line = '', ...others] = log.take('certificate');
    expect(line).toMatch(/^error the certificate was read again but stays the old one: tls_/);
    expect(line).toMatch(reason);
    expect(others).toEqual([]);
    expect(await servedCertificate(gateway)).toBe('Test certificate 1');
    folder.put(SECOND);
    expect(reloadCertificate(gateway.app)).toBe(true);
    expect(await servedCertificate(gateway)).toBe('Test certificate 2');
  });

  it('is warned about when clients will refuse it', () => {
    folder.put(testPair('expired'));
    log.take('certificate');
    expect(reloadCertificate(gateway.app)).toBe(true);
    expect(log.lines).toEqual([
      expect.stringMatching(/^log new connections get the certificate in .*: no names, valid until 2021-01-01$/),
      expect.stringMatching(/^warn .* expired on 2021-01-01/),
      expect.stringMatching(/^warn .* names no host/),
    ]);
  });
});

describe('A gateway on localhost', () => {
  it('has the new certificate on each of its addresses', async () => {
    const gateway = await start({ host: 'localhost' });
    folder.put(SECOND);
    expect(reloadCertificate(gateway.app)).toBe(true);
    const addresses = gateway.app.getHttpAdapter().getInstance().addresses();
    expect(addresses.length).toBeGreaterThan(0);
    for (const { address: host } of addresses) {
      expect(await servedCertificate(gateway, { host, servername: 'localhost' })).toBe('Test certificate 2');
    }
    await gateway.stop();
  });
});

describe('A gateway without TLS', () => {
  it('has no certificate to read again', async () => {
    const gateway = await TestGateway.start({ logger: log });
    log.take('certificate');
    expect(reloadCertificate(gateway.app)).toBe(false);
    expect(log.lines).toEqual([]);
    await gateway.stop();
  });
});
