import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './support/checkout.js';
import { TestGateway } from './support/gateway.js';
import { Running } from './support/process.js';
import { testPair } from './support/tls/certificates.js';

const folder = mkdtempSync(join(tmpdir(), 'pogo-healthcheck-'));
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const TLS = { tls_cert: file('tls.crt', testPair('first').cert), tls_key: file('tls.key', testPair('first').key) };

let plain: TestGateway;
let other: TestGateway;
let secure: TestGateway;

beforeAll(async () => {
  [plain, other, secure] = await Promise.all([
    TestGateway.start({ settings: { path_prefix: '/ws' } }),
    TestGateway.start({ settings: { host: '127.0.0.2' } }),
    TestGateway.start({ settings: TLS }),
  ]);
});

afterAll(async () => {
  await Promise.all([plain, other, secure].map((each) => each.stop()));
  rmSync(folder, { recursive: true, force: true });
});

/** What the engine gets from it. */
async function exitCode(env: Record<string, string>): Promise<number | null> {
  const check = new Running('node', ['deploy/docker/healthcheck.mjs'], { cwd: ROOT, env });
  return (await check.ending).code;
}

describe('HEALTHCHECK asks the server where it listens', () => {
  it('by the environment', async () => {
    expect(await exitCode({ POGO_WS_PORT: String(plain.port) })).toBe(0);
    expect(await exitCode({ REVERB_SERVER_PORT: String(plain.port) })).toBe(0);
    expect(await exitCode({ POGO_WS_PORT: String(other.port), POGO_WS_HOST: '127.0.0.2' })).toBe(0);
    expect(await exitCode({ POGO_WS_PORT: String(secure.port), POGO_WS_TLS_CERT: TLS.tls_cert })).toBe(0);
    expect(await exitCode({ POGO_WS_PORT: String(secure.port) })).toBe(1);
  });

  it('by the file, which the environment wins over', async () => {
    const yaml = file('pogo.yaml', `host: '::'\nport: ${plain.port}\napps: [{ id: '1', key: a, secret: b }]\n`);
    expect(await exitCode({ POGO_WS_CONFIG: yaml })).toBe(0);
    expect(await exitCode({ POGO_WS_CONFIG: yaml, REVERB_SERVER_PORT: '1' })).toBe(0);
    expect(await exitCode({ POGO_WS_CONFIG: yaml, POGO_WS_PORT: '1' })).toBe(1);
    const json = file('pogo.json', JSON.stringify({ port: other.port, host: '127.0.0.2' }));
    expect(await exitCode({ POGO_WS_CONFIG: json })).toBe(0);
    const empty = file('empty.yaml', 'port: null\nhost: ~\ntls_cert:\n');
    expect(await exitCode({ POGO_WS_CONFIG: empty, REVERB_SERVER_PORT: String(plain.port) })).toBe(0);
    const tls = file('tls.yaml', `port: ${secure.port}\ntls_cert: ${TLS.tls_cert}\ntls_key: ${TLS.tls_key}\n`);
    expect(await exitCode({ POGO_WS_CONFIG: tls })).toBe(0);
  });

  it('by a file into which somebody has written a mistake since', async () => {
    const broken = file('broken.yaml', `port: ${plain.port}\napps:\n  - { id: '1'\nlog_level: [\n`);
    expect(await exitCode({ POGO_WS_CONFIG: broken })).toBe(0);
    expect(await exitCode({ POGO_WS_CONFIG: join(folder, 'nothing'), POGO_WS_PORT: String(plain.port) })).toBe(0);
  });
});
