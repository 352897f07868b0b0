import { GatewayLogger, loadConfig } from '@pogo/gateway';
import { Broker, HubService, UnavailableError } from '@pogo/hub';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { APP, TestGateway, type GatewayOptions } from '../support/gateway.js';

afterEach(() => vi.restoreAllMocks());

async function start(options: GatewayOptions = {}): Promise<TestGateway> {
  const gateway = await TestGateway.start(options);
  onTestFinished(() => gateway.stop());
  return gateway;
}

describe('When the broker', () => {
  it('is unavailable, publishing is answered 500 with status 6', async () => {
    const gateway = await start();
    vi.spyOn(gateway.app.get(Broker), 'publish').mockRejectedValue(new UnavailableError('away', 'maybe_done'));
    const { status, body } = await gateway.http.publish(['a', 'b'], 'my-event', 'x');
    expect([status, body]).toEqual([500, { error: 'publish failed: broker_failed', status: 6 }]);
  });

  it('takes only a part of what was published, that is a failure as well', async () => {
    const gateway = await start();
    vi.spyOn(gateway.app.get(Broker), 'publish').mockRejectedValueOnce(new UnavailableError('away', 'maybe_done'));
    const { status, body } = await gateway.http.publish(['a', 'b'], 'my-event', 'x');
    expect([status, body]).toMatchObject([500, { status: 6 }]);
  });

  it('is busy with as many publishes as it may be, one more is answered 503 with status 8', async () => {
    const gateway = await start({ settings: { broker_queue_size: '2' } });
    const releases: (() => void)[] = [];
    const publish = vi.spyOn(gateway.app.get(Broker), 'publish');
    const bothAreHeld = new Promise<void>((resolve) => {
      publish.mockImplementation(() => new Promise((release) => releases.push(release) === 2 && resolve()));
    });
    const held = [gateway.http.publish('a', 'my-event', 'x'), gateway.http.publish('b', 'my-event', 'x')];
    await bothAreHeld;
    const { status, body } = await gateway.http.publish('c', 'my-event', 'x');
    expect([status, body]).toEqual([503, { error: 'publish failed: broker_queue_full', status: 8 }]);
    for (const release of releases) release();
    expect((await Promise.all(held)).map((answer) => answer.status)).toEqual([200, 200]);
    publish.mockResolvedValue();
    expect((await gateway.http.publish('c', 'my-event', 'x')).status).toBe(200);
  });
});

describe('A publish that the hub answers with', () => {
  it.each([
    ['hub_missing', 1, 404],
    ['broker_failed', 6, 500],
    ['broker_queue_full', 8, 503],
    ['shard_queue_full', 9, 503],
  ] as const)('%s (%i) is answered %i', async (name, code, httpStatus) => {
    const gateway = await start();
    vi.spyOn(gateway.app.get(HubService), 'publishAll').mockResolvedValue(code);
    const { status, body } = await gateway.http.publish('a', 'my-event', 'x');
    expect([status, body]).toEqual([httpStatus, { error: `publish failed: ${name}`, status: code }]);
  });
});

describe('When the server itself is at fault', () => {
  it('the client is told nothing about it, and the log everything', async () => {
    let log = '';
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      log += String(text);
      return true;
    });
    const config = loadConfig({ POGO_WS_APP_KEY: APP.key, POGO_WS_APP_SECRET: APP.secret, POGO_WS_LOG_FORMAT: 'json' });
    const gateway = await start({ logger: new GatewayLogger(config) });
    vi.spyOn(gateway.app.get(HubService), 'countConnections').mockRejectedValue(new Error(`boom in ${APP.secret}`));
    const { status, body } = await gateway.http.get('/connections');
    expect([status, body]).toEqual([500, { error: 'internal server error' }]);
    expect(log).toContain('boom in');
    expect(log).not.toContain(APP.secret);
    expect((await gateway.http.get('/channels')).status).toBe(200);
  });
});

describe('While the server drains', () => {
  it('requests are served, and every answer closes its connection', async () => {
    const gateway = await start();
    expect((await gateway.http.get('/connections')).headers.get('connection')).toBe('keep-alive');
    await gateway.hub.drain(0);
    for (const answer of [
      await gateway.http.get('/connections'),
      await gateway.http.publish('news', 'my-event', 'x'),
    ]) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get('connection')).toBe('close');
    }
    const up = await fetch(`http://127.0.0.1:${gateway.port}/up`);
    expect([up.status, await up.json()]).toEqual([503, { status: 'shutting_down' }]);
  });
});
