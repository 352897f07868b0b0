import { parseAllowedOrigins } from '@pogo/hub';
import { expect, it, onTestFinished } from 'vitest';
import { APP, TestGateway } from '../support/gateway.js';
import { reverbApp, reverbError } from '../support/reverb.js';

/** The text with which `gateway` refuses a client. */
async function refusal(gateway: TestGateway, key: string, origin = 'https://evil.example'): Promise<string> {
  const { socket } = gateway.dial(gateway.url(key), { headers: { Origin: origin } });
  return new Promise((resolve) => socket.once('message', (data) => resolve(String(data))));
}

it('A refused handshake is worded in the app’s dialect, and in the server’s where there is no app', async () => {
  const allowedOrigins = parseAllowedOrigins(['https://good.example']);
  const [speaking, silent] = [reverbApp('reverb'), reverbApp('disabled')];
  const apps = [
    { ...APP, dialect: 'pusher' as const, allowedOrigins },
    { ...speaking, allowedOrigins },
    { ...silent, enabled: false },
  ];
  for (const dialect of ['pusher', 'reverb']) {
    const gateway = await TestGateway.start({ settings: { dialect }, apps });
    onTestFinished(() => gateway.stop());
    expect(await refusal(gateway, speaking.key)).toBe(reverbError(4009, 'Origin not allowed'));
    expect(await refusal(gateway, silent.key)).toBe(reverbError(4003, 'Application disabled'));
    expect(await refusal(gateway, APP.key)).toBe(
      '{"event":"pusher:error","data":{"code":4009,"message":"Origin not allowed"}}',
    );
    expect(await refusal(gateway, 'nobody')).toBe(
      dialect === 'reverb'
        ? reverbError(4001, 'Application does not exist')
        : '{"event":"pusher:error","data":{"code":4001,"message":"Application does not exist"}}',
    );
  }
});
