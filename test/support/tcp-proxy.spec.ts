import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisServer } from './redis.js';
import { TcpProxy } from './tcp-proxy.js';

let redis: RedisServer;
let proxy: TcpProxy;
let client: Redis;

beforeAll(async () => {
  redis = await RedisServer.start();
});

beforeEach(async () => {
  await redis.inspector.flushall();
  proxy = await TcpProxy.start(redis.port);
  client = clientOf(proxy.url);
  await client.ping();
});

afterEach(async () => {
  client.disconnect();
  await proxy.stop();
});

afterAll(async () => {
  await redis.stop();
});

/** A client that hands failures on at once instead of trying again. */
function clientOf(url: string): Redis {
  const options = { maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false, retryStrategy: () => 10 };
  return new Redis(url, options).on('error', () => undefined);
}

/** `once` of node:events would fail of the errors that are wanted here. */
function once(client: Redis, event: 'close' | 'connect' | 'ready'): Promise<void> {
  return new Promise((resolve) => client.once(event, resolve));
}

/** What happened of it so far. */
function watch(promise: Promise<unknown>): { state: string } {
  const watched = { state: 'pending' };
  promise.then(
    () => (watched.state = 'done'),
    () => (watched.state = 'failed'),
  );
  return watched;
}

/** Resolves when the key is there: the request has reached Redis. */
async function arrival(key: string): Promise<void> {
  while ((await redis.inspector.exists(key)) === 0);
}

describe('TcpProxy', () => {
  it('passes on what is large both ways', async () => {
    const value = 'x'.repeat(5_000_000);
    await client.set('large', value);
    expect(await client.get('large')).toBe(value);
    expect(proxy.connections).toBe(1);
  });

  it('ends what is there, and takes what comes', async () => {
    proxy.cut();
    await once(client, 'close');
    expect(proxy.connections).toBe(0);
    await once(client, 'ready');
    expect(await client.ping()).toBe('PONG');
  });

  it('refuses for a while', async () => {
    proxy.refuse();
    for (let attempt = 0; attempt < 3; attempt++) await once(client, 'close');
    expect(proxy.connections).toBe(0);
    proxy.accept();
    await once(client, 'ready');
    expect(await client.ping()).toBe('PONG');
  });

  it('loses answers, and ends the connections that miss some', async () => {
    const other = clientOf(proxy.url);
    await other.ping();
    proxy.dropAnswers();
    const answer = client.set('a', '1');
    const watched = watch(answer);
    await arrival('a');
    expect(watched.state).toBe('pending');
    proxy.passAnswers();
    await expect(answer).rejects.toThrow();
    expect(await other.get('a')).toBe('1');
    other.disconnect();
  });

  it('loses the answer to one request, which Redis carries out, and nothing behind it', async () => {
    const lost = proxy.dropAnswersOnce((request) => request.includes('wanted'));
    expect(await client.set('other', '1')).toBe('OK');
    const ready = once(client, 'ready');
    const answer = client.multi().set('wanted', '1').incr('count').exec();
    await Promise.all([lost, expect(answer).rejects.toThrow()]);
    expect(await redis.inspector.mget('wanted', 'count')).toEqual(['1', '1']);
    await ready;
    expect(await client.set('wanted', '2')).toBe('OK');
  });

  it('loses the answer to a subscription', async () => {
    const lost = proxy.dropAnswersOnce((request) => request.includes('news'));
    const answer = client.subscribe('news');
    await Promise.all([lost, expect(answer).rejects.toThrow()]);
  });

  it('says so when the connection ends before the answer', async () => {
    redis.freeze();
    const lost = proxy.dropAnswersOnce(
      (request) => request.includes('wanted') && setImmediate(() => proxy.cut()) !== null,
    );
    const answer = client.get('wanted');
    await Promise.all([expect(lost).rejects.toThrow(/ended before/), expect(answer).rejects.toThrow()]);
    redis.thaw();
  });

  it('holds everything while it is frozen, new connections too', async () => {
    proxy.freeze();
    const other = clientOf(proxy.url);
    const watched = [watch(client.set('a', '1')), watch(other.set('b', '1'))];
    await once(other, 'connect');
    expect(await redis.inspector.exists('a', 'b')).toBe(0);
    expect(watched.map(({ state }) => state)).toEqual(['pending', 'pending']);
    proxy.thaw();
    await Promise.all([arrival('a'), arrival('b')]);
    expect(await other.get('a')).toBe('1');
    other.disconnect();
  });

  it('ends connections for which there is no Redis', async () => {
    const closed = once(client, 'close');
    await redis.kill();
    await closed;
    const unreachable = clientOf(proxy.url);
    await once(unreachable, 'close');
    unreachable.disconnect();
    const ready = once(client, 'ready');
    await redis.restart();
    await ready;
    expect(await client.ping()).toBe('PONG');
  });
});
