import { describe, expect, it } from 'vitest';
import { contradictions } from './contradictions.js';
import { loadConfig } from './load-config.js';

const APP = { POGO_WS_APP_ID: '1', POGO_WS_APP_KEY: 'key', POGO_WS_APP_SECRET: 'secret' };
const load = (settings: Record<string, string>) => loadConfig({ ...APP, ...settings });

describe('The settings of the single app', () => {
  it('are those of the server', () => {
    const [app] = load({
      POGO_WS_DIALECT: 'reverb',
      POGO_WS_CLIENT_EVENTS: 'off',
      POGO_WS_ACCEPT_CLIENT_EVENTS_FROM: 'all',
      POGO_WS_SUBSCRIPTION_COUNT: 'on',
      POGO_WS_USER_AUTHENTICATION_TIMEOUT: '5s',
      POGO_WS_WEBHOOK_URL: 'https://app.example.com/hooks',
      POGO_WS_WEBHOOK_EVENTS: 'member_added, member_removed',
      POGO_WEBHOOK_SECRET: 'hook-secret',
    }).apps;
    expect(app).toMatchObject({
      dialect: 'reverb',
      clientEvents: false,
      acceptClientEventsFrom: 'all',
      subscriptionCount: true,
      userAuthenticationTimeoutMs: 5_000,
      webhooks: [
        { url: 'https://app.example.com/hooks', secret: 'hook-secret', events: ['member_added', 'member_removed'] },
      ],
    });
  });

  it('switch nothing on by themselves', () => {
    expect(load({}).apps[0]).toMatchObject({
      dialect: 'pusher',
      clientEvents: true,
      subscriptionCount: false,
      userAuthenticationTimeoutMs: undefined,
      webhooks: [],
    });
  });

  it('may be given to the gateway by its own name, which counts more', () => {
    const settings = { POGO_WS_WEBHOOK_URL: 'http://a/', POGO_WEBHOOK_SECRET: 'one', POGO_WS_WEBHOOK_SECRET: 'other' };
    expect(load(settings).apps[0]?.webhooks[0]?.secret).toBe('other');
  });

  it('are the defaults of other apps, which may say otherwise', () => {
    const extras = { apps: [{ id: '2', key: 'k2', secret: 's2', webhooks: [], dialect: 'pusher' as const }] };
    const environment = {
      ...APP,
      POGO_WS_WEBHOOK_URL: 'http://a/',
      POGO_WS_DIALECT: 'reverb',
      POGO_WS_SUBSCRIPTION_COUNT: '1',
    };
    const [, second] = loadConfig(environment, extras).apps;
    expect(second).toMatchObject({ webhooks: [], dialect: 'pusher', subscriptionCount: true });
  });

  it.each([
    ['POGO_WS_DIALECT', 'soketi', 'must be one of pusher, reverb'],
    ['POGO_WS_ACCEPT_CLIENT_EVENTS_FROM', 'everybody', 'must be one of members, all, none'],
    [
      'POGO_WS_USER_AUTHENTICATION_TIMEOUT',
      '5',
      'must be a duration such as 500ms, 10s or 5m (at least 100ms, at most 596h)',
    ],
    ['POGO_WS_WEBHOOK_URL', 'app.example.com', 'must be an http:// or https:// URL without credentials and fragment'],
    [
      'POGO_WS_WEBHOOK_URL',
      'https://me:secret@a/',
      'must be an http:// or https:// URL without credentials and fragment',
    ],
    ['POGO_WS_WEBHOOK_EVENTS', 'member_added,member_left', 'must be one or more of channel_occupied, channel_vacated'],
    ['POGO_WS_WEBHOOK_EVENTS', ',', 'must be one or more of channel_occupied'],
  ])('cannot be %s=%s', (name, value, sentence) => {
    expect(() => load({ [name]: value })).toThrow(sentence);
  });
});

describe('A hundred thousand apps', () => {
  it('are looked through once: a server that reads them again stands still meanwhile', () => {
    const apps = Array.from({ length: 100_000 }, (_, i) => ({ id: `id-${i}`, key: `key-${i}`, secret: 's' }));
    const again = [{ id: 'id-7', key: 'key-8', secret: 's' }];
    expect(contradictions({}, new Map(), {}, { apps: [...apps, ...again, ...again] })).toEqual([
      'two apps have the id "id-7"',
      'two apps have the key "key-8"',
    ]);
  });
});
