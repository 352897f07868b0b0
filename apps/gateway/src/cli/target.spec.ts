import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { targetOf, type Target } from './target.js';

const APP = { POGO_WS_APP_KEY: 'k', POGO_WS_APP_SECRET: 's' };

function target(environment: Readonly<Record<string, string>>, envFile?: string): Target {
  const context = { environment, out: () => undefined, err: () => undefined, readInput: () => Promise.resolve('') };
  return targetOf({ timeout: '5', ...(envFile === undefined ? {} : { envFile }) }, context);
}

describe('Without a URL the environment says where the server is', () => {
  it.each<[string, Readonly<Record<string, string>>]>([
    ['http://127.0.0.1:8080', {}],
    ['http://127.0.0.1:8080', { REVERB_HOST: '', POGO_WS_PORT: '', POGO_WS_PATH_PREFIX: '' }],
    ['http://127.0.0.1:9000/ws', { POGO_WS_HOST: '::', POGO_WS_PORT: '9000', POGO_WS_PATH_PREFIX: 'ws/' }],
    ['https://10.0.0.5:8080', { POGO_WS_HOST: '10.0.0.5', POGO_WS_TLS_CERT: 'cert.pem' }],
    ['http://[::1]:8080', { POGO_WS_HOST: '::1' }],
    ['http://ws.example', { REVERB_HOST: 'ws.example', REVERB_PORT: '', REVERB_SCHEME: '' }],
    ['https://ws.example:6001', { REVERB_HOST: 'ws.example', REVERB_PORT: '6001', REVERB_SCHEME: 'https' }],
    ['http://ws.example/ws', { REVERB_HOST: 'ws.example', POGO_WS_PATH_PREFIX: '/ws' }],
    ['http://ws.example/ws', { REVERB_HOST: 'ws.example', REVERB_SERVER_PATH: 'ws' }],
    ['http://[2001:db8::1]:6001', { REVERB_HOST: '2001:db8::1', REVERB_PORT: '6001' }],
  ])('%s', (base, environment) => {
    expect(target({ ...APP, ...environment }).base).toBe(base);
  });
});

describe('A .env', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pogo-env-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is read as Laravel reads it: names in values, and the mark of Windows', async () => {
    const path = join(folder, '.env');
    await writeFile(
      path,
      '\uFEFFPUSHER_APP_KEY=pusher-key\r\nAPP_HOST=ws.example\r\nREVERB_APP_KEY="${PUSHER_APP_KEY}"\r\n' +
        'REVERB_APP_SECRET="a#b${NOBODY}"\r\nREVERB_HOST="${APP_HOST}"\r\nREVERB_PORT=${OUTER}',
    );
    expect(target({ OUTER: '6001' }, path)).toMatchObject({
      base: 'http://ws.example:6001',
      key: 'pusher-key',
      secret: 'a#b${NOBODY}',
    });
  });
});
