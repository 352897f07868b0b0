import { ConfigError, GatewayModule } from '@pogo/gateway';
import { AppProvider, completeApp, ConfigAppProvider } from '@pogo/hub';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EmbeddedGateway, environmentOf } from '../support/embedded.js';
import { APP } from '../support/gateway.js';

const OTHER = completeApp({ id: 'other', key: 'other-key', secret: 'other-secret' });

/** The environment of the process is that of the test for as long as it runs. */
function stub(environment: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
}

describe('A gateway without a configuration of its own', () => {
  let gateway: EmbeddedGateway | undefined;
  const start = async (...options: Parameters<typeof GatewayModule.forRoot>) =>
    (gateway = await EmbeddedGateway.start(GatewayModule.forRoot(...options)));

  beforeEach(() => {
    gateway = undefined;
    for (const name of Object.keys(process.env)) if (/^(POGO_WS_|REVERB_)/.test(name)) vi.stubEnv(name, undefined);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await gateway?.stop();
  });

  it('reads the environment', async () => {
    stub(environmentOf({ max_event_bytes: '10' }));
    gateway = await start();
    const client = await gateway.connect();
    await client.subscribe('room');
    expect((await gateway.http().publish('room', 'event', 'x'.repeat(11))).status).toBe(413);
    expect((await gateway.http().publish('room', 'event', 'x')).status).toBe(200);
    await client.receive('event');
  });

  it('reads it where it is imported, and says what is wrong with it', () => {
    stub(environmentOf({ max_event_bytes: 'many' }));
    expect(() => GatewayModule.forRoot()).toThrow(ConfigError);
    expect(() => GatewayModule.forRoot()).toThrow('POGO_WS_MAX_EVENT_BYTES');
  });

  it('does not start in production without an app', () => {
    vi.stubEnv('NODE_ENV', 'production');
    expect(() => GatewayModule.forRoot()).toThrow('no app is configured');
  });

  it.each([
    ['apps', { apps: { useValue: new ConfigAppProvider([OTHER]) } }],
    ['a replacement of the token', { providers: [{ provide: AppProvider, useValue: new ConfigAppProvider([OTHER]) }] }],
  ])('starts in production without one when the apps come from elsewhere: %s', async (_how, options) => {
    stub({ NODE_ENV: 'production', POGO_WS_HANDSHAKE_RATE: '-1' });
    gateway = await start(options);
    const client = await gateway.connect(OTHER);
    await client.subscribe('room');
    expect((await gateway.http(OTHER).publish('room', 'event', 'x')).status).toBe(200);
    await client.receive('event');
    expect(await gateway.dial({ key: 'pogo-key', secret: '' }).closing()).toMatchObject({ code: 4001 });
  });

  it('has the apps of its provider only, whatever app the environment names', async () => {
    stub(environmentOf());
    gateway = await start({ apps: { useValue: new ConfigAppProvider([OTHER]) } });
    await gateway.connect(OTHER);
    expect(await gateway.dial(APP).closing()).toMatchObject({ code: 4001 });
  });
});
