import { describe, expect, it } from 'vitest';
import { SECRET_KEYS, SETTING_KEYS, settingsSchema } from './settings.js';

describe('The settings', () => {
  it('have the documented defaults', () => {
    expect(settingsSchema.parse({})).toEqual({
      host: '0.0.0.0',
      port: 8_080,
      path_prefix: '',
      dialect: 'pusher',
      client_events: true,
      accept_client_events_from: 'members',
      subscription_count: false,
      webhook_events: [
        'channel_occupied',
        'channel_vacated',
        'member_added',
        'member_removed',
        'client_event',
        'cache_miss',
        'subscription_count',
      ],
      allowed_origins: [],
      max_connections: 10_000,
      max_connections_per_ip: undefined,
      max_channels_per_connection: 1_000,
      handshake_rate: 100,
      handshake_burst: 50,
      trusted_proxies: [],
      client_msg_rate_limit: 50,
      client_msg_rate_burst: 20,
      max_inbox_messages: 256,
      max_inbox_bytes: 1_048_576,
      http_rate_limit: undefined,
      http_signature_max_age: 600_000,
      max_event_bytes: 262_144,
      max_event_name_length: 200,
      max_channel_name_length: 200,
      max_channels_per_event: 100,
      max_batch_size: 10,
      max_body_bytes: 2_097_152,
      presence_max_members: 100,
      presence_max_user_info_bytes: 2_048,
      presence_max_user_id_length: 128,
      cache_ttl: 1_800_000,
      outbound_queue_size: 256,
      outbound_queue_bytes: 1_048_576,
      slow_consumer: 'disconnect',
      write_wait: 10_000,
      write_burst_size: 64,
      broker_queue_size: 1_024,
      shard_queue_size: 1_024,
      ping_period: 54_000,
      pong_wait: 60_000,
      activity_timeout: 120_000,
      enable_compression: false,
      auth_path: '/broadcasting/auth',
      num_workers: 2,
      max_concurrent_auth: 100,
      max_auth_body: 16_384,
      auth_timeout: 3_000,
      shutdown_timeout: 10_000,
      hot_path_metrics: false,
      log_level: 'info',
      metrics_host: '127.0.0.1',
    });
  });

  it('all say what they mean', () => {
    for (const key of SETTING_KEYS) {
      const field = settingsSchema.shape[key];
      expect(field.description ?? '', key).not.toBe('');
    }
  });

  it('know which of them are secrets', () => {
    expect([...SECRET_KEYS]).toEqual([
      'app_secret',
      'command_secret',
      'redis_password',
      'redis_sentinel_password',
      'redis_url',
      'webhook_secret',
    ]);
  });

  it.each([
    ['/ws', '/ws'],
    ['ws', '/ws'],
    ['/ws/', '/ws'],
    ['//a/b//', '/a/b'],
    ['/', ''],
    ['/a.b_c~d-e/1', '/a.b_c~d-e/1'],
  ])('take the path prefix %j as %j', (value, expected) => {
    expect(settingsSchema.parse({ path_prefix: value }).path_prefix).toBe(expected);
  });

  it.each(['a b', '/ws?x', '/ws#x', '/ä', '/a//b', '/%2F', 'http://x/ws'])('refuse the path prefix %j', (value) => {
    const issues = settingsSchema.safeParse({ path_prefix: value }).error?.issues ?? [];
    expect(issues.map(({ message }) => message)).toEqual(['must be a path such as /ws']);
  });
});
