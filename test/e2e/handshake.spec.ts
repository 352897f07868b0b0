import { AppProvider, parseAllowedOrigins } from '@pogo/hub';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TestGateway, type GatewayOptions } from '../support/gateway.js';

let gateway: TestGateway;
const start = async (options: GatewayOptions = {}) => (gateway = await TestGateway.start(options));
afterEach(() => gateway.stop());

/** How a client that dials `url` is refused: the error it is told and the code it is closed with, which are the same. */
async function refusalAt(url: string, origin?: string): Promise<{ code: number; message: string }> {
  const client = gateway.dial(url, origin === undefined ? {} : { origin });
  const { code, reason } = await client.closing();
  expect(client.received).toEqual([{ event: 'pusher:error', data: { code, message: reason } }]);
  return { code, message: reason };
}

describe('the handshake', () => {
  it.each(['', 'protocol=5', 'protocol=6', 'protocol=7', 'protocol=7&client=js&version=8.6.0&flash=false'])(
    'admits a client with the query %j',
    async (query) => {
      await start();
      await gateway.dial(gateway.url(undefined, query)).established();
    },
  );

  it.each([
    ['protocol=4', 4007],
    ['protocol=8', 4007],
    ['protocol=99999999999999999999', 4007],
    ['protocol=x', 4006],
    ['protocol=', 4006],
    ['protocol=7.0', 4006],
    ['protocol=-7', 4007],
  ])('refuses the query %s with %i', async (query, code) => {
    await start();
    expect((await refusalAt(gateway.url(undefined, query))).code).toBe(code);
  });

  it('refuses an unknown key with 4001 and a disabled app with 4003', async () => {
    await start({
      apps: [
        { id: '1', key: 'on', secret: 's' },
        { id: '2', key: 'off', secret: 's', enabled: false },
      ],
    });
    expect(await refusalAt(gateway.url('unknown'))).toEqual({ code: 4001, message: 'Application does not exist' });
    expect(await refusalAt(gateway.url('__proto__'))).toEqual({ code: 4001, message: 'Application does not exist' });
    expect(await refusalAt(gateway.url('off'))).toEqual({ code: 4003, message: 'Application disabled' });
    await gateway.dial(gateway.url('on')).established();
  });

  it.each(['/', '/app', '/app/', '/app/test-key/x', '/apps/1/events', '/other', '/app/%ff', '//'])(
    'refuses the path %s with 4005',
    async (path) => {
      await start();
      expect(await refusalAt(`ws://127.0.0.1:${gateway.port}${path}`)).toEqual({
        code: 4005,
        message: 'Path not found',
      });
    },
  );

  it('serves under its path prefix and nowhere else', async () => {
    await start({ settings: { path_prefix: '/ws/pogo/' } });
    const client = await gateway.connect();
    await client.subscribe('room');
    expect((await gateway.http.publish('room', 'e', 'x')).status).toBe(200);
    await client.receive('e');
    const bare = `127.0.0.1:${gateway.port}`;
    expect((await refusalAt(`ws://${bare}/app/test-key`)).code).toBe(4005);
    expect((await fetch(`http://${bare}/apps/1/channels`)).status).toBe(404);
    expect((await fetch(`http://${bare}/up`)).status).toBe(200);
    expect((await fetch(`http://${bare}/ws/pogo/up`)).status).toBe(200);
  });

  it('checks the origin, and lets clients without one in', async () => {
    await start({ settings: { allowed_origins: 'https://app.example.com, *.example.org' } });
    expect(await refusalAt(gateway.url(), 'https://evil.example.com')).toEqual({
      code: 4009,
      message: 'Origin not allowed',
    });
    expect((await refusalAt(gateway.url(), 'null')).code).toBe(4009);
    expect((await refusalAt(gateway.url(), 'https://example.org')).code).toBe(4009);
    for (const origin of ['https://app.example.com', 'http://a.example.org:3000']) {
      await gateway.dial(gateway.url(), { origin }).established();
    }
    await gateway.connect();
  });

  it('refuses with 4100 when the node is full, and admits again when somebody has left', async () => {
    await start({ settings: { max_connections: '2' } });
    const [first] = [await gateway.connect(), await gateway.connect()];
    expect(await refusalAt(gateway.url())).toEqual({ code: 4100, message: 'Over capacity' });
    await first.disconnect();
    await gateway.connect();
  });

  it('refuses with 4004 when the app is over its quota, and others are not affected', async () => {
    await start({
      apps: [
        { id: '1', key: 'small', secret: 's', maxConnections: 1 },
        { id: '2', key: 'large', secret: 's' },
      ],
    });
    await gateway.dial(gateway.url('small')).established();
    expect(await refusalAt(gateway.url('small'))).toEqual({
      code: 4004,
      message: 'Application is over connection quota',
    });
    await gateway.dial(gateway.url('large')).established();
  });

  it('tells observers whom it refused', async () => {
    await start();
    const codes: number[] = [];
    gateway.events.on('handshakeRejected', ({ code }) => codes.push(code));
    await refusalAt(gateway.url('unknown'));
    await refusalAt(gateway.url(undefined, 'protocol=4'));
    expect(codes).toEqual([4001, 4007]);
  });

  it('checks in the documented order', async () => {
    await start({ settings: { max_connections: '1', allowed_origins: 'a.example' } });
    const wrongEverywhere = `ws://127.0.0.1:${gateway.port}/app/unknown?protocol=x`;
    expect((await refusalAt(wrongEverywhere, 'http://evil.example')).code).toBe(4006);
    expect((await refusalAt(gateway.url('unknown', 'protocol=9'), 'http://evil.example')).code).toBe(4007);
    expect((await refusalAt(gateway.url('unknown'), 'http://evil.example')).code).toBe(4001);
    expect((await refusalAt(gateway.url(), 'http://evil.example')).code).toBe(4009);
    await gateway.connect();
    expect((await refusalAt(wrongEverywhere)).message).toBe('Over capacity');
    expect((await refusalAt(`ws://127.0.0.1:${gateway.port}/nowhere`)).message).toBe('Over capacity');
    gateway.hub.onModuleDestroy();
    expect((await refusalAt(gateway.url())).message).toBe('Server is restarting');
  });

  it('checks what is said of an app before its origins, and those before its quota', async () => {
    const allowedOrigins = parseAllowedOrigins(['a.example']);
    await start({
      apps: [
        { id: '1', key: 'off', secret: 's', enabled: false, allowedOrigins },
        { id: '2', key: 'full', secret: 's', maxConnections: 1, allowedOrigins },
      ],
    });
    await gateway.dial(gateway.url('full')).established();
    expect((await refusalAt(gateway.url('off'), 'http://evil.example')).code).toBe(4003);
    expect((await refusalAt(gateway.url('full'), 'http://evil.example')).code).toBe(4009);
    expect((await refusalAt(gateway.url('full'), 'http://a.example')).code).toBe(4004);
  });

  it.each([
    ['fills', 'Over capacity', () => gateway.connect()],
    ['begins to drain', 'Server is restarting', () => Promise.resolve(gateway.hub.onModuleDestroy())],
  ])('looks again when the node %s while the app is looked up', async (_what, message, meanwhile) => {
    await start({ settings: { max_connections: '1' } });
    const apps = gateway.app.get(AppProvider);
    const find = apps.findByKey.bind(apps);
    let goOn: () => void = () => undefined;
    const asked = new Promise<void>((resolveAsked) => {
      vi.spyOn(apps, 'findByKey').mockImplementationOnce(async (key) => {
        resolveAsked();
        await new Promise<void>((resolve) => (goOn = resolve));
        return find(key);
      });
    });
    const refusal = refusalAt(gateway.url());
    await asked;
    await meanwhile();
    goOn();
    expect((await refusal).message).toBe(message);
  });

  it('refuses with 4100 while draining, and closes established clients with 4200', async () => {
    await start();
    const client = await gateway.connect();
    gateway.hub.onModuleDestroy();
    expect(await refusalAt(gateway.url())).toEqual({ code: 4100, message: 'Server is restarting' });
    expect((await fetch(`http://127.0.0.1:${gateway.port}/up`)).status).toBe(503);
    const published = await gateway.http.publish('room', 'still', 'x');
    expect([published.status, published.headers.get('connection')]).toEqual([200, 'close']);
    const drained = gateway.hub.drain(100);
    expect(await client.closing()).toEqual({ code: 4200, reason: 'Server is restarting' });
    await drained;
    expect(gateway.hub.connectionCount).toBe(0);
  });
});
