import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, explainConfig, type LoadedConfig } from './load-config.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pogo-file-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function load(text: string | Uint8Array, environment: Record<string, string> = {}): LoadedConfig {
  const path = join(folder, `${files++}.yaml`);
  writeFileSync(path, text);
  return explainConfig({ ...environment, POGO_WS_CONFIG: path });
}

function problemsOf(text: string | Uint8Array, environment: Record<string, string> = {}): string {
  try {
    load(text, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('it was accepted');
}

const APP = '{ id: a, key: a-key, secret: never-shown }';

describe('A configuration file', () => {
  it('has settings by their names, in YAML or JSON', () => {
    const yaml = load(`port: 9000\nallowed_origins: [a.example, b.example]\nping_period: 5s\napps: [${APP}]`);
    const json = load(
      '{"port": 9000, "allowed_origins": "a.example,b.example", "apps": [{"id":"a","key":"k","secret":"s"}]}',
    );
    for (const { config, settings } of [yaml, json]) {
      expect([config.port, settings.allowed_origins]).toEqual([9_000, ['a.example', 'b.example']]);
    }
    expect(yaml.config.hub.pingPeriodMs).toBe(5_000);
  });

  it('stands below the environment and above the names of Reverb', () => {
    const text = `port: 1\nhost: 127.0.0.2\napps: [${APP}]`;
    const { config, names } = load(text, {
      REVERB_SERVER_PORT: '2',
      REVERB_SERVER_PATH: '/r',
      POGO_WS_HOST: '127.0.0.3',
    });
    expect([config.port, config.host, config.pathPrefix]).toEqual([1, '127.0.0.3', '/r']);
    expect([names.get('port'), names.get('host'), names.get('path_prefix')]).toEqual([
      expect.stringMatching(/^\d+\.yaml: port$/),
      'POGO_WS_HOST',
      'REVERB_SERVER_PATH',
    ]);
  });

  it('keeps the text of a scalar: a secret of digits keeps its zeros', () => {
    const { config } = load('apps: [{ id: 007, key: 0010, secret: 0x1F }]');
    expect(config.apps[0]).toMatchObject({ id: '007', key: '0010', secret: '0x1F' });
  });

  it('may leave out what it names', () => {
    expect(load(`port:\nredis_url: null\nhost: ''\napps: [${APP}]`).settings).toMatchObject({
      port: 8_080,
      host: '0.0.0.0',
    });
  });

  it('brings apps beside that of the environment', () => {
    const { config } = load(`apps: [${APP}]`, {
      POGO_WS_APP_ID: 'b',
      POGO_WS_APP_KEY: 'b-key',
      POGO_WS_APP_SECRET: 's',
    });
    expect(config.apps.map(({ id }) => id)).toEqual(['b', 'a']);
  });

  it('gives each app what is its own, and the server’s values for the rest', () => {
    const { config } = load(`
max_event_bytes: 1000
cache_ttl: 5m
client_msg_rate_limit: 7
apps:
  - ${APP}
  - id: b
    key: b-key
    secret: never-shown
    enabled: off
    dialect: reverb
    client_events: false
    accept_client_events_from: all
    subscription_count: on
    user_authentication_timeout: 30s
    allowed_origins: ['https://b.example']
    max_connections: 10
    max_channels_per_connection: 11
    client_msg_rate_limit: 12
    client_msg_rate_burst: 13
    http_rate_limit: 14
    max_event_bytes: 15
    presence_max_members: 16
    cache_ttl: 17s
    auth_endpoint: http://127.0.0.1:8000
    webhooks:
      - url: https://b.example/hooks
        secret: never-shown
        events: [channel_occupied, member_added]
        channel_prefix: private-
        headers: { Authorization: never-shown }
`);
    const [a, b] = config.apps;
    expect(a).toMatchObject({
      enabled: true,
      dialect: 'pusher',
      cacheTtlMs: 300_000,
      clientMessageRate: { perSecond: 7 },
    });
    expect(a?.limits.maxEventBytes).toBe(1_000);
    expect(b).toMatchObject({
      enabled: false,
      dialect: 'reverb',
      clientEvents: false,
      acceptClientEventsFrom: 'all',
      subscriptionCount: true,
      userAuthenticationTimeoutMs: 30_000,
      maxConnections: 10,
      maxChannelsPerConnection: 11,
      clientMessageRate: { perSecond: 12, burst: 13 },
      httpRateLimit: 14,
      cacheTtlMs: 17_000,
      authEndpoint: 'http://127.0.0.1:8000/broadcasting/auth',
    });
    expect(b?.limits).toMatchObject({ maxEventBytes: 15, presenceMaxMembers: 16 });
    expect(b?.allowedOrigins.allows('https://b.example')).toBe(true);
    expect(b?.allowedOrigins.allows('https://a.example')).toBe(false);
    expect(b?.webhooks).toMatchObject([
      { url: 'https://b.example/hooks', channelPrefix: 'private-', events: ['channel_occupied', 'member_added'] },
    ]);
  });
});

describe('A mistake in it', () => {
  it.each([
    ['a setting that there is not', 'prot: 1', 'prot: there is no such setting; did you mean port?'],
    ['a setting of the Go module', 'fanout_workers: 4', 'fan-out needs no tuning here'],
    ['a script of the Go module', 'auth_script: a.php', 'there is no script runner here'],
    ['a wrong value', 'port: eighty', 'port = "eighty": must be a whole number'],
    ['a value that is a map', 'port: { a: b }', 'port'],
    ['apps that are no list', 'apps: { id: a }', 'apps: must be a list of apps'],
    ['an app that is no map', 'apps: [a]', 'apps[0]: must be an app with id, key and secret'],
    ['an app without a secret', 'apps: [{ id: a, key: k }]', 'apps[0].secret: is missing'],
    [
      'an unknown field of an app',
      `apps: [{ id: a, key: k, secret: s, max_conections: 1 }]`,
      'apps[0].max_conections: there is no such setting; did you mean max_connections?',
    ],
    ['two apps of one id', `apps: [${APP}, { id: a, key: other, secret: s }]`, 'two apps have the id "a"'],
    ['two apps of one key', `apps: [${APP}, { id: b, key: a-key, secret: s }]`, 'two apps have the key "a-key"'],
    [
      'an origin that is none',
      'apps: [{ id: a, key: k, secret: s, allowed_origins: ["a b"] }]',
      'apps[0].allowed_origins: "a b" is not an origin',
    ],
    [
      'a webhook without a URL',
      'apps: [{ id: a, key: k, secret: s, webhooks: [{}] }]',
      'apps[0].webhooks[0].url: is missing',
    ],
    [
      'a webhook event that there is not',
      'apps: [{ id: a, key: k, secret: s, webhooks: [{ url: "http://a.example", events: [gone] }] }]',
      'apps[0].webhooks[0].events',
    ],
    ['a list instead of settings', '- port', 'must be a list of "setting: value"'],
    ['no YAML', 'a: [1', 'line 1'],
    ['a name twice', 'port: 1\nport: 2', 'line 2'],
  ])('is named: %s', (_what, text, sentence) => {
    expect(problemsOf(text)).toContain(sentence);
  });

  it('does not hide the others, and no secret is shown', () => {
    const message = problemsOf(
      'port: eighty\nhots: a\napp_secret: never-shown\napps: [{ id: a, secret: [never-shown], key: k, webhooks: [{ url: x, headers: never-shown }] }]',
    );
    for (const part of [
      'port = "eighty"',
      'hots:',
      'app_secret needs',
      '.secret = <redacted>',
      'webhooks[0].url',
      'headers = <redacted>',
    ]) {
      expect(message).toContain(part);
    }
    expect(message).not.toContain('never-shown');
  });

  it('is that it cannot be read', () => {
    expect(() => explainConfig({ POGO_WS_CONFIG: join(folder, 'none.yaml') })).toThrow('cannot be read (ENOENT)');
    expect(() => explainConfig({ POGO_WS_CONFIG: folder })).toThrow('cannot be read (EISDIR)');
  });

  it('is that it has another encoding, in which a secret would be another one', () => {
    const text = 'apps: [{ id: a, key: a-key, secret: gehéim }]';
    expect(problemsOf(Buffer.from(text, 'latin1'))).toContain('must be in UTF-8');
    expect(problemsOf(Buffer.from(`\ufeff${text}`, 'utf16le'))).toContain('must be in UTF-8');
    expect(load(`\ufeff${text}`).config.apps[0]?.secret).toBe('gehéim');
  });

  it('says of a star without quotes what it is: origins begin with one', () => {
    for (const text of [
      'allowed_origins: *',
      'allowed_origins:\n  - *.example.com',
      'allowed_origins: [*.example.com]',
    ]) {
      expect(problemsOf(text)).toContain('a text that begins with * stands in quotes');
    }
  });

  it('is not that a password is told, of a URL that stands where a host should', () => {
    const problems = problemsOf('redis_host: "redis://user:pass-word@r.example:6379"');
    expect(problems).toContain('redis_host = "redis://<redacted>@r.example:6379": must be');
    expect(problems).not.toContain('pass-word');
  });

  it('is not that aliases multiply', () => {
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...'bcdefghi'.split('').map(
        (c, i) =>
          `${c}: &${c} [${Array(9)
            .fill(`*${'abcdefgh'[i] ?? ''}`)
            .join(', ')}]`,
      ),
    ];
    expect(problemsOf(bomb.join('\n'))).toContain('too many aliases');
  });
});
