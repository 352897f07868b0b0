import { describe, expect, it } from 'vitest';
import { completeApp, type AppSettings } from './app.js';
import { completeWebhook, wants, type WebhookSettings } from './webhook-endpoint.js';

const withWebhooks = (webhooks: unknown) => completeApp({ id: '1', key: 'k', secret: 's', webhooks } as AppSettings);
const url = 'https://app.example.com/webhooks';

describe('An endpoint of webhooks', () => {
  it('needs no more than a URL', () => {
    expect(withWebhooks([{ url }]).webhooks).toEqual([
      {
        url,
        secret: undefined,
        events: expect.arrayContaining(['cache_miss']) as string[],
        channelPrefix: '',
        headers: {},
      },
    ]);
    expect(withWebhooks(undefined).webhooks).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ['no list', { url }, 'app 1: webhooks must be a list'],
    ['nothing', [null], 'app 1: webhooks[0]: url must be an http:// or https:// URL'],
    ['no URL', [{ url }, { url: 'app.example.com' }], 'app 1: webhooks[1]: url must be an http:// or https:// URL'],
    ['another scheme', [{ url: 'ftp://a/' }], 'webhooks[0]: url must be'],
    ['credentials', [{ url: 'https://user:secret@a/' }], 'without credentials'],
    ['an empty secret', [{ url, secret: '' }], 'webhooks[0]: secret must be a text that is not empty'],
    [
      'an event that is none',
      [{ url, events: ['channel_exploded'] }],
      'webhooks[0]: events must be a list of channel_occupied',
    ],
    ['no events', [{ url, events: [] }], 'webhooks[0]: events must be'],
    ['events that are no list', [{ url, events: 'cache_miss' }], 'webhooks[0]: events must be'],
    ['a prefix that is none', [{ url, channelPrefix: 1 }], 'webhooks[0]: channelPrefix must be a text'],
    ['headers in a list', [{ url, headers: ['X-A: b'] }], 'webhooks[0]: headers must be an object'],
    [
      'a header that is ours',
      [{ url, headers: { 'x-pusher-key': 'k' } }],
      'headers: x-pusher-key is set by the webhook itself',
    ],
    [
      'a content type',
      [{ url, headers: { 'Content-Type': 'text/plain' } }],
      'Content-Type is set by the webhook itself',
    ],
    ['a length', [{ url, headers: { 'content-length': '1' } }], 'content-length is set by the webhook itself'],
    ['a name that is none', [{ url, headers: { 'X A': 'b' } }], 'headers: "X A" is not a name of a header'],
    ['two lines', [{ url, headers: { 'X-A': 'b\r\nX-B: c' } }], 'the value of X-A must be a text of one line'],
    ['a number', [{ url, headers: { 'X-A': 1 } }], 'the value of X-A must be a text of one line'],
  ])('cannot be %s', (_what, webhooks, sentence) => {
    expect(() => withWebhooks(webhooks)).toThrow(sentence);
  });

  it('says nothing of its secret and its headers when it is wrong', () => {
    const wrong = [{ url: 'nonsense', secret: 'hidden', headers: { Authorization: 'hidden' } }];
    expect(() => withWebhooks(wrong)).toThrow(/^(?!.*hidden).*$/);
  });

  it.each<[Partial<WebhookSettings>, string, 'member_added' | 'channel_occupied', boolean]>([
    [{}, 'anything', 'channel_occupied', true],
    [{ events: ['member_added'] }, 'presence-a', 'channel_occupied', false],
    [{ events: ['member_added'] }, 'presence-a', 'member_added', true],
    [{ channelPrefix: 'presence-' }, 'presence-a', 'channel_occupied', true],
    [{ channelPrefix: 'presence-' }, 'private-presence-a', 'channel_occupied', false],
  ])('with %j and channel %s hears of %s: %s', (settings, channel, name, expected) => {
    const event = name === 'member_added' ? { name, channel, userId: 'ada' } : { name, channel };
    expect(wants(completeWebhook({ url, ...settings }), event)).toBe(expected);
  });
});
