import { availableParallelism } from 'node:os';
import { DEFAULT_LIMITS } from '@pogo/pusher-protocol';
import { describe, expect, it } from 'vitest';
import { shardsFor } from './gateway-config.js';
import { loadConfig, type Environment } from './load-config.js';

const load = (settings: Environment = {}) =>
  loadConfig({ POGO_WS_APP_KEY: 'key', POGO_WS_APP_SECRET: 'secret', ...settings });
const appOf = (settings: Environment = {}) => load(settings).apps[0];

describe('The settings of the hub', () => {
  it('are those that were set, each of them', () => {
    const { hub } = load({
      POGO_WS_MAX_CONNECTIONS: '11',
      POGO_WS_PING_PERIOD: '12s',
      POGO_WS_PONG_WAIT: '13s',
      POGO_WS_ACTIVITY_TIMEOUT: '14s',
      POGO_WS_MAX_INBOX_MESSAGES: '15',
      POGO_WS_MAX_INBOX_BYTES: '16',
      POGO_WS_OUTBOUND_QUEUE_SIZE: '17',
      POGO_WS_OUTBOUND_QUEUE_BYTES: '18',
      POGO_WS_SLOW_CONSUMER: 'drop',
      POGO_WS_WRITE_WAIT: '19ms',
      POGO_WS_WRITE_BURST_SIZE: '20',
      POGO_WS_BROKER_QUEUE_SIZE: '21',
      POGO_WS_AUTH_TIMEOUT: '22ms',
      POGO_WS_SHARD_QUEUE_SIZE: '23',
      POGO_WS_NUM_SHARDS: '1',
      POGO_WS_MAX_CONNECTIONS_PER_IP: '24',
      POGO_WS_HANDSHAKE_RATE: '25',
      POGO_WS_HANDSHAKE_BURST: '26',
      POGO_WS_MAX_CONCURRENT_AUTH: '27',
      POGO_WS_NUM_WORKERS: '28',
      POGO_WS_MAX_AUTH_BODY: '29',
    });
    expect({ ...hub }).toEqual({
      maxConnections: 11,
      pingPeriodMs: 12_000,
      pongWaitMs: 13_000,
      activityTimeoutSeconds: 14,
      maxInboxMessages: 15,
      maxInboxBytes: 16,
      outboundQueueSize: 17,
      outboundQueueBytes: 18,
      slowConsumer: 'drop',
      writeWaitMs: 19,
      writeBurstSize: 20,
      brokerQueueSize: 21,
      authTimeoutMs: 22,
      shardQueueSize: 23,
      numShards: 1,
      maxConnectionsPerIp: 24,
      handshakeRate: { perSecond: 25, burst: 26 },
      maxConcurrentAuth: 27,
      maxIdleAuthSockets: 28,
      maxAuthBodyBytes: 29,
      hotPathMetrics: false,
      joinDeadlineMs: 10_000,
      topicLingerMs: 5_000,
    });
  });
});

describe('The number of shards', () => {
  it.each([
    [1, 4],
    [2, 4],
    [3, 6],
    [32, 64],
    [128, 64],
  ])('for %i CPUs is %i', (cpus, shards) => {
    expect(shardsFor(cpus)).toBe(shards);
  });

  it('is that of the machine when none is set', () => {
    expect(load().hub.numShards).toBe(shardsFor(availableParallelism()));
  });
});

describe('The app made up for development', () => {
  it('has an id that is a number, a known key and the defaults of every other app', () => {
    const [app, ...others] = loadConfig({}).apps;
    expect(others).toEqual([]);
    expect(app).toMatchObject({ id: '1', key: 'pogo-key', enabled: true, dialect: 'pusher', clientEvents: true });
  });

  it('has a secret that nobody can guess, new at every start', () => {
    const secrets = Array.from({ length: 50 }, () => loadConfig({}).apps[0]?.secret ?? '');
    expect(new Set(secrets).size).toBe(50);
    for (const secret of secrets) expect(secret).toMatch(/^[\w-]{32,}$/);
  });

  it('is served on loopback only, although the default is every address', () => {
    expect(loadConfig({})).toMatchObject({ host: '127.0.0.1', isDevelopmentApp: true });
  });

  it.each(['127.0.0.1', 'localhost', '::1'])('is served on %s when that was asked for', (host) => {
    expect(loadConfig({ POGO_WS_HOST: host }).host).toBe(host);
  });
});

describe('An app of the configuration', () => {
  it('is served on every address, as itself and nothing else', () => {
    const config = load({ POGO_WS_APP_ID: 'my-app_7' });
    expect(config).toMatchObject({ host: '0.0.0.0', isDevelopmentApp: false });
    expect(config.apps).toMatchObject([{ id: 'my-app_7', key: 'key', secret: 'secret' }]);
  });

  it('has the id 1 when none is given', () => {
    expect(appOf()).toMatchObject({ id: '1' });
  });

  it('has the server defaults for what a client may do', () => {
    expect(appOf()).toMatchObject({
      clientMessageRate: { perSecond: 50, burst: 20 },
      httpRateLimit: undefined,
      maxConnections: undefined,
      maxChannelsPerConnection: 1_000,
      cacheTtlMs: 1_800_000,
    });
  });

  it('has the limits that were set', () => {
    const app = appOf({
      POGO_WS_MAX_EVENT_BYTES: '10KiB',
      POGO_WS_MAX_EVENT_NAME_LENGTH: '11',
      POGO_WS_MAX_CHANNEL_NAME_LENGTH: '12',
      POGO_WS_PRESENCE_MAX_MEMBERS: '13',
      POGO_WS_PRESENCE_MAX_USER_INFO_BYTES: '14',
      POGO_WS_PRESENCE_MAX_USER_ID_LENGTH: '15',
      POGO_WS_MAX_CHANNELS_PER_CONNECTION: '16',
      POGO_WS_CACHE_TTL: '5m',
    });
    expect(app).toMatchObject({ maxChannelsPerConnection: 16, cacheTtlMs: 300_000 });
    expect(app?.limits).toEqual({
      maxEventBytes: 10_240,
      maxEventNameLength: 11,
      maxChannelNameLength: 12,
      presenceMaxMembers: 13,
      presenceMaxUserInfoBytes: 14,
      presenceMaxUserIdLength: 15,
    });
  });

  it.each<[limit: string, burst: string, expected: object | undefined]>([
    ['7', '9', { perSecond: 7, burst: 9 }],
    ['0', '0', { perSecond: 50, burst: 20 }],
    ['0', '5', { perSecond: 50, burst: 5 }],
    ['-1', '5', undefined],
    ['0.5', '1', { perSecond: 0.5, burst: 1 }],
  ])('with a message rate of %s and a burst of %s has %j', (limit, burst, expected) => {
    const app = appOf({ POGO_WS_CLIENT_MSG_RATE_LIMIT: limit, POGO_WS_CLIENT_MSG_RATE_BURST: burst });
    expect(app?.clientMessageRate).toEqual(expected);
  });

  it.each([
    ['100', 100],
    ['0', undefined],
    ['-1', undefined],
  ])('with an HTTP rate of %s has %j', (limit, expected) => {
    expect(appOf({ POGO_WS_HTTP_RATE_LIMIT: limit })?.httpRateLimit).toBe(expected);
  });

  it('has the origins that were set, and all when none were', () => {
    expect(appOf()?.allowedOrigins.allows('https://evil.example')).toBe(true);
    const { allowedOrigins } = appOf({ POGO_WS_ALLOWED_ORIGINS: 'https://a.example,*.b.example' }) ?? {};
    expect(allowedOrigins?.allows('https://a.example')).toBe(true);
    expect(allowedOrigins?.allows('https://x.b.example')).toBe(true);
    expect(allowedOrigins?.allows('https://evil.example')).toBe(false);
  });
});

describe('Apps of the embedding application', () => {
  const environment = { POGO_WS_MAX_EVENT_BYTES: '1000', POGO_WS_CACHE_TTL: '1m' };

  it("have the server's settings for what they leave out", () => {
    const { apps, isDevelopmentApp } = loadConfig(environment, {
      apps: [{ id: 'a', key: 'ka', secret: 'sa', clientEvents: false, cacheTtlMs: 7 }],
    });
    expect(isDevelopmentApp).toBe(false);
    expect(apps).toMatchObject([{ id: 'a', clientEvents: false, cacheTtlMs: 7, limits: { maxEventBytes: 1_000 } }]);
  });

  it('join the single app of the environment', () => {
    const { apps } = loadConfig(
      { POGO_WS_APP_KEY: 'key', POGO_WS_APP_SECRET: 'secret' },
      { apps: [{ id: 'a', key: 'ka', secret: 'sa' }] },
    );
    expect(apps.map(({ id }) => id)).toEqual(['1', 'a']);
  });
});

describe('The rest of the configuration', () => {
  it('is grouped by who uses it, in milliseconds and bytes', () => {
    const config = load({
      POGO_WS_HTTP_SIGNATURE_MAX_AGE: '10s',
      POGO_WS_MAX_BODY_BYTES: '3MiB',
      POGO_WS_MAX_CHANNELS_PER_EVENT: '4',
      POGO_WS_MAX_BATCH_SIZE: '5',
      POGO_WS_SHUTDOWN_TIMEOUT: '500ms',
      POGO_WS_LOG_LEVEL: 'WARN',
      POGO_WS_LOG_FORMAT: 'json',
      POGO_WS_ACTIVITY_TIMEOUT: '30s',
      POGO_WS_SLOW_CONSUMER: 'drop',
      POGO_WS_MAX_CONNECTIONS: '6',
    });
    expect(config.http).toEqual({
      signatureMaxAgeMs: 10_000,
      maxBodyBytes: 3_145_728,
      maxChannelsPerEvent: 4,
      maxBatchSize: 5,
    });
    expect(config).toMatchObject({ shutdownTimeoutMs: 500, log: { level: 'warn', format: 'json' } });
    expect(config.hub).toMatchObject({ activityTimeoutSeconds: 30, slowConsumer: 'drop', maxConnections: 6 });
    expect(config.hub).toMatchObject({ pingPeriodMs: 54_000, pongWaitMs: 60_000, authTimeoutMs: 3_000 });
  });

  it.each([
    [undefined, false],
    ['on', true],
    ['0', false],
  ])('compresses when enable_compression = %s: %s', (value, compression) => {
    expect(load({ POGO_WS_ENABLE_COMPRESSION: value })).toMatchObject({ compression });
  });

  it('lets a client message be larger than the largest event of any app', () => {
    const limits = { ...DEFAULT_LIMITS, maxEventBytes: 500_000 };
    const { maxClientMessageBytes } = loadConfig({}, { apps: [{ id: 'a', key: 'k', secret: 's', limits }] });
    expect(maxClientMessageBytes).toBeGreaterThan(500_000);
  });
});
