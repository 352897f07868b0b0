import Pusher from 'pusher';
import { verifyChannelSignature, verifyUserSignature } from '@pogo/pusher-protocol';
import { describe, expect, it } from 'vitest';
import { pogo } from '../support/cli.js';
import { APP } from '../support/gateway.js';

const env = { POGO_WS_APP_KEY: APP.key, POGO_WS_APP_SECRET: APP.secret };
const MASTER_KEY = Buffer.alloc(32, 7).toString('base64');

async function signed(args: readonly string[], more: Record<string, string> = {}): Promise<Record<string, string>> {
  const { code, out, err } = await pogo(['sign', ...args], { ...env, ...more });
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as Record<string, string>;
}

describe('pogo sign', () => {
  it('signs what clients need', async () => {
    const data = '{"user_id":"1"}';
    const channel = await signed(['channel', '1.2', 'presence-a', '--data', data]);
    expect(channel['channel_data']).toBe(data);
    expect(verifyChannelSignature(APP, channel['auth'] ?? '', '1.2', 'presence-a', data)).toBe(true);
    const user = await signed(['user', '1.2', '{"id":"1"}']);
    expect(verifyUserSignature(APP, user['auth'] ?? '', '1.2', '{"id":"1"}')).toBe(true);
  });

  it('answers of an encrypted channel what the official library does', async () => {
    const pusher = new Pusher({
      appId: APP.id,
      key: APP.key,
      secret: APP.secret,
      host: '127.0.0.1',
      encryptionMasterKeyBase64: MASTER_KEY,
    });
    const channel = 'private-encrypted-cache-a';
    const expected = pusher.authorizeChannel('1.2', channel);
    expect(expected).toHaveProperty('shared_secret');
    expect(await signed(['channel', '1.2', channel, '--encryption-master-key', MASTER_KEY])).toEqual(expected);
    expect(await signed(['channel', '1.2', channel], { PUSHER_ENCRYPTION_MASTER_KEY: MASTER_KEY })).toEqual(expected);
    expect(await signed(['channel', '1.2', 'private-a'], { PUSHER_ENCRYPTION_MASTER_KEY: MASTER_KEY })).toEqual({
      auth: expect.any(String) as string,
    });
  });

  it('says what an encrypted channel lacks', async () => {
    const { code, out, err } = await pogo(['sign', 'channel', '1.2', 'private-encrypted-a', '--json'], env);
    expect([code, JSON.parse(out)]).toEqual([0, { auth: expect.any(String) as string }]);
    expect(err).toContain('clients need a shared_secret, too');
  });
});
