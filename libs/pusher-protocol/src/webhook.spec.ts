import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signWebhook, webhookBody, webhookEventJson, type WebhookEvent } from './webhook.js';

describe('An event of a webhook', () => {
  it.each<[WebhookEvent, string]>([
    [{ name: 'channel_occupied', channel: 'a' }, '{"name":"channel_occupied","channel":"a"}'],
    [{ name: 'cache_miss', channel: 'cache-a' }, '{"name":"cache_miss","channel":"cache-a"}'],
    [
      { name: 'member_added', channel: 'presence-a', userId: 'ü"' },
      '{"name":"member_added","channel":"presence-a","user_id":"ü\\""}',
    ],
    [
      { name: 'subscription_count', channel: 'a', subscriptionCount: 3 },
      '{"name":"subscription_count","channel":"a","subscription_count":3}',
    ],
    [
      { name: 'client_event', channel: 'private-a', event: 'client-x', dataJson: '{"a":1.0}', socketId: '1.2' },
      '{"name":"client_event","channel":"private-a","event":"client-x","data":"{\\"a\\":1.0}","socket_id":"1.2"}',
    ],
    [
      {
        name: 'client_event',
        channel: 'presence-a',
        event: 'client-x',
        dataJson: '"text"',
        socketId: '1.2',
        userId: '7',
      },
      '{"name":"client_event","channel":"presence-a","event":"client-x","data":"text","socket_id":"1.2","user_id":"7"}',
    ],
    [
      { name: 'client_event', channel: 'private-a', event: 'client-x', socketId: '1.2' },
      '{"name":"client_event","channel":"private-a","event":"client-x","socket_id":"1.2"}',
    ],
  ])('%j', (event, json) => {
    expect(webhookEventJson(event)).toBe(json);
  });
});

describe('A webhook', () => {
  it('has its time and its events, in order', () => {
    expect(webhookBody(1_700_000_000_000, ['{"name":"a"}', '{"name":"b"}'])).toBe(
      '{"time_ms":1700000000000,"events":[{"name":"a"},{"name":"b"}]}',
    );
  });

  it('is signed over its bytes', () => {
    const body = '{"time_ms":1,"events":[{"name":"é"}]}';
    expect(signWebhook('secret', body)).toBe(createHmac('sha256', 'secret').update(Buffer.from(body)).digest('hex'));
    expect(signWebhook('another', body)).not.toBe(signWebhook('secret', body));
  });
});
