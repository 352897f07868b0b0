import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { APP, TestGateway } from '../support/gateway.js';
import { HttpApi } from '../support/http-api.js';

let gateway: TestGateway;
let http: HttpApi;
beforeAll(async () => {
  gateway = await TestGateway.start();
  http = gateway.http;
});
afterAll(() => gateway.stop());

const NOT_FOUND = [404, { error: expect.stringMatching(/./) as string }];

describe('An unknown route', () => {
  it.each([
    ['GET', ''],
    ['GET', '/'],
    ['GET', '/nonsense'],
    ['POST', '/event'],
    ['POST', '/events/more'],
    ['GET', '/channels/news/nonsense'],
    ['GET', '/channels/presence-a/users/more'],
    ['GET', '/users/1'],
    ['POST', '/users/1/terminate'],
    ['GET', '/connections/1'],
    ['POST', '/Events'],
  ])('%s /apps/1%s is answered 404', async (method, path) => {
    const { status, body } = await http.request(method, path, method === 'POST' ? '{}' : undefined);
    expect([status, body]).toEqual(NOT_FOUND);
  });

  it.each([
    ['GET', '/'],
    ['GET', '/apps'],
    ['GET', '/nonsense'],
    ['POST', '/nonsense'],
    ['GET', '/app/test-key/more'],
    ['GET', '//apps/1/connections'],
    ['GET', '/..%2Fapps'],
  ])('%s %s is answered 404 to anybody', async (method, path) => {
    const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, {
      method,
      ...(method === 'POST' ? { body: '{}', headers: { 'Content-Type': 'text/xml' } } : {}),
    });
    expect([response.status, await response.json()]).toEqual(NOT_FOUND);
  });

  it('is the handshake without an Upgrade header, which is answered 426 and says what a proxy has to do', async () => {
    const prefixed = await TestGateway.start({ settings: { path_prefix: '/ws' } });
    onTestFinished(() => prefixed.stop());
    for (const url of [
      `http://127.0.0.1:${gateway.port}/app/test-key?protocol=7`,
      `http://127.0.0.1:${gateway.port}/app/nobody`,
      `http://127.0.0.1:${prefixed.port}/ws/app/test-key`,
    ]) {
      const response = await fetch(url);
      expect([response.status, await response.json()]).toEqual([
        426,
        { error: expect.stringContaining('proxy') as string },
      ]);
      expect(response.headers.get('upgrade')).toBe('websocket');
      // Without it Node keeps the connection of a proxy that speaks HTTP/1.0 and waits for its end.
      expect(response.headers.get('connection')).toMatch(/close/);
    }
    for (const url of [`http://127.0.0.1:${prefixed.port}/app/test-key`, `http://127.0.0.1:${gateway.port}/app/`]) {
      const response = await fetch(url);
      expect([response.status, await response.json()]).toEqual(NOT_FOUND);
    }
    const post = await fetch(`http://127.0.0.1:${gateway.port}/app/test-key`, { method: 'POST' });
    expect(post.status).toBe(404);
  });

  it('is every route of the API without the path prefix when there is one', async () => {
    const prefixed = await TestGateway.start({ settings: { path_prefix: '/ws' } });
    onTestFinished(() => prefixed.stop());
    expect((await prefixed.http.get('/connections')).status).toBe(200);
    const { status, body } = await new HttpApi(`http://127.0.0.1:${prefixed.port}`, APP).get('/connections');
    expect([status, body]).toEqual(NOT_FOUND);
    for (const path of ['/up', '/ws/up', '/pogo/health', '/ws/pogo/health', '/ready', '/ws/ready']) {
      const response = await fetch(`http://127.0.0.1:${prefixed.port}${path}`);
      expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
    }
  });
});

describe('A wrong method', () => {
  it.each([
    ['GET', '/events', 'POST'],
    ['PUT', '/events', 'POST'],
    ['DELETE', '/events', 'POST'],
    ['PATCH', '/batch_events', 'POST'],
    ['OPTIONS', '/events', 'POST'],
    ['HEAD', '/events', 'POST'],
    ['POST', '/channels', 'GET, HEAD'],
    ['DELETE', '/channels/presence-a', 'GET, HEAD'],
    ['POST', '/channels/presence-a/users', 'GET, HEAD'],
    ['GET', '/users/1/terminate_connections', 'POST'],
    ['POST', '/connections', 'GET, HEAD'],
  ])('%s /apps/1%s is answered 405 and Allow: %s', async (method, path, allow) => {
    const hasBody = ['PUT', 'PATCH', 'POST', 'DELETE'].includes(method);
    const { status, headers, body } = await http.request(method, path, hasBody ? '{}' : undefined);
    expect(status).toBe(405);
    expect(headers.get('allow')).toBe(allow);
    if (method !== 'HEAD') expect(body).toEqual({ error: expect.stringMatching(/method/i) as string });
  });

  it('needs no signature to be told so', async () => {
    const response = await fetch(`http://127.0.0.1:${gateway.port}/apps/1/events`);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

describe('HEAD', () => {
  it.each(['/channels', '/channels/news', '/channels/presence-a/users', '/connections'])(
    'of %s is answered like GET, without the body',
    async (path) => {
      const [head, get] = [await http.request('HEAD', path, undefined), await http.get(path)];
      expect([head.status, head.body]).toEqual([200, undefined]);
      for (const name of ['content-type', 'content-length']) {
        expect(head.headers.get(name)).toBe(get.headers.get(name));
      }
    },
  );

  it('must be signed as HEAD', async () => {
    const tamper = { auth_signature: 'a'.repeat(64) };
    expect((await http.request('HEAD', '/channels', undefined, { tamper })).status).toBe(401);
  });
});

describe('An unknown app', () => {
  it.each(['2', '0', '01', '1 ', 'A', '__proto__', 'constructor', 'test-key', 'x'.repeat(1_000)])(
    '%j is answered 404, before anybody looks at the signature',
    async (id) => {
      const unsigned = `http://127.0.0.1:${gateway.port}/apps/${encodeURIComponent(id)}/connections`;
      const response = await fetch(unsigned);
      expect([response.status, await response.json()]).toEqual([404, { error: 'application not found' }]);
    },
  );

  it('is one that is disabled', async () => {
    const [on, off] = [{ ...APP }, { id: '2', key: 'key-2', secret: 'secret-2', enabled: false }];
    const both = await TestGateway.start({ apps: [on, off] });
    onTestFinished(() => both.stop());
    const { status, body } = await new HttpApi(`http://127.0.0.1:${both.port}`, off).get('/connections');
    expect([status, body]).toEqual([404, { error: 'application not found' }]);
  });

  it('cannot be entered with the key and secret of another one', async () => {
    const apps = [{ ...APP }, { id: '2', key: 'key-2', secret: 'secret-2' }];
    const both = await TestGateway.start({ apps });
    onTestFinished(() => both.stop());
    const { status, body } = await new HttpApi(`http://127.0.0.1:${both.port}`, { ...APP, id: '2' }).get(
      '/connections',
    );
    expect([status, body]).toEqual([401, { error: 'authentication signature invalid: key' }]);
  });
});
