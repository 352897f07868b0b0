import { once } from 'node:events';
import tls from 'node:tls';
import { AppModule, createGateway, loadConfig } from '@pogo/gateway';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APP, TestGateway } from '../support/gateway.js';
import { Log } from '../support/log.js';
import { arrives, happens, join, RealClients } from '../support/pusher-clients.js';
import { testPair } from '../support/tls/certificates.js';
import { dialTls, servedCertificate } from '../support/tls/sockets.js';
import { trust } from '../support/tls/trust.js';
import { expectServed } from '../support/well-behaved.js';

const FIRST = testPair('first');
const SECOND = testPair('second');
const SETTINGS = { tls_cert: FIRST.certPath, tls_key: FIRST.keyPath };

let distrust: () => void;
beforeAll(() => {
  distrust = trust(FIRST.cert, SECOND.cert);
});
afterAll(() => distrust());

describe('Over TLS', () => {
  let clients: RealClients;

  beforeAll(async () => {
    clients = await RealClients.start({ settings: { ...SETTINGS, path_prefix: '/ws' } });
  });
  afterAll(() => clients.stop());

  const secure = () => ({
    forceTLS: true,
    wssPort: clients.gateway.port,
    wsPath: '/ws',
    enabledTransports: ['ws' as const, 'wss' as const],
  });

  it('pusher-js joins a presence channel and hears what the application publishes', async () => {
    const page = await clients.connect({ ...secure(), member: { user_id: 'ada' } });
    await join(page, 'presence-room');
    const heard = arrives(page, 'headline', 'presence-room');
    const answer = await clients.gateway.http.publish('presence-room', 'headline', '{"text":"ä"}');
    expect([answer.status, await heard]).toEqual([200, { text: 'ä' }]);
  });

  it('Laravel Echo whispers to another page', async () => {
    const [echo, page] = [await clients.echo('reverb', secure()), await clients.connect(secure())];
    const heard = happens(await join(page, 'private-room'), 'client-hello');
    const channel = echo.private('room');
    await new Promise<void>((resolve) => channel.subscribed(resolve));
    channel.whisper('hello', { text: 'ä' });
    expect(await heard).toEqual({ text: 'ä' });
  });

  it('a client that does not trust the certificate goes away, and everybody else is served', async () => {
    const client = clients.gateway.dial(undefined, { ca: SECOND.cert });
    await expect(client.established()).rejects.toThrow(/self-signed|unable to verify/);
    await expectServed(clients.gateway);
  });

  it.each(['TLSv1', 'TLSv1.1'] as const)('%s is refused', async (version) => {
    const { port } = clients.gateway;
    const ciphers = 'DEFAULT:@SECLEVEL=0';
    const socket = tls.connect({ port, host: '127.0.0.1', minVersion: version, maxVersion: version, ciphers });
    expect(await once(socket, 'error')).toMatchObject([{ code: expect.stringMatching(/PROTOCOL|VERSION/) as string }]);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    '%s is served, with HTTP/1.1 though HTTP/2 was asked for',
    async (version) => {
      const ALPNProtocols = ['h2', 'http/1.1'];
      const socket = await dialTls(clients.gateway, { minVersion: version, maxVersion: version, ALPNProtocols });
      expect([socket.getProtocol(), socket.alpnProtocol]).toEqual([version, 'http/1.1']);
      socket.destroy();
    },
  );
});

describe('The server library over https', () => {
  it('publishes and reads', async () => {
    const clients = await RealClients.start({ settings: SETTINGS });
    const server = clients.serverLibrary({ useTLS: true });
    const client = await clients.gateway.connect();
    await client.subscribe('news');
    expect((await server.trigger('news', 'headline', { a: 1 })).status).toBe(200);
    expect(await client.receive('headline')).toMatchObject({ data: '{"a":1}' });
    expect((await server.get({ path: '/channels/news' })).status).toBe(200);
    await clients.stop();
  });
});

describe('Liveness over TLS', () => {
  it('counts what a client sends inside it: who answers pings stays, who is silent goes', async () => {
    const gateway = await TestGateway.start({ settings: { ...SETTINGS, ping_period: '100ms', pong_wait: '300ms' } });
    const answering = await gateway.connect();
    for (let round = 0; round < 3; round++) {
      const silent = await gateway.connect({ autoPong: false });
      expect(await silent.closing()).toMatchObject({ code: 4201 });
    }
    answering.send({ event: 'pusher:ping', data: {} });
    await answering.receive('pusher:pong');
    await gateway.stop();
  });
});

describe('An application that embeds the gateway', () => {
  const config = loadConfig({
    POGO_WS_TLS_CERT: FIRST.certPath,
    POGO_WS_TLS_KEY: FIRST.keyPath,
    POGO_WS_PORT: '0',
    POGO_WS_HOST: '127.0.0.1',
    POGO_WS_APP_KEY: APP.key,
    POGO_WS_APP_SECRET: APP.secret,
  });

  it('is told when it asks for TLS and does not hand it on: it would serve without', async () => {
    const created = createGateway(AppModule.forRoot(config), { logger: new Log() });
    await expect(created).rejects.toThrow('{ tls: config.tls }');
  });

  it('is told which file is not usable', async () => {
    const tls = { certPath: FIRST.certPath, keyPath: SECOND.keyPath };
    const created = createGateway(AppModule.forRoot(config), { logger: new Log(), tls });
    await expect(created).rejects.toThrow(/^tls_key .*second.*: the key does not belong to the certificate in .*first/);
  });
});

describe('A certificate that clients will refuse', () => {
  it('is served, and the log says why they will', async () => {
    const { certPath, keyPath } = testPair('expired');
    const log = new Log();
    const gateway = await TestGateway.start({ settings: { tls_cert: certPath, tls_key: keyPath }, logger: log });
    expect(log.take('certificate')).toEqual([
      `warn the certificate in ${certPath} expired on 2021-01-01: clients refuse it`,
      `warn the certificate in ${certPath} names no host (subjectAltName): browsers refuse it`,
    ]);
    expect(await servedCertificate(gateway, { rejectUnauthorized: false })).toBe('Expired test certificate');
    await expect(servedCertificate(gateway)).rejects.toThrow();
    await gateway.stop();
  });
});
