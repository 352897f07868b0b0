import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  clientEventDataTooLong,
  clientEventNameTooLong,
  decodeMessage,
  DEFAULT_LIMITS,
  EventName,
  PusherErrors,
  pusherMessages,
  ReverbErrors,
  SubscriptionError,
  subscriptionRejected,
  WEBHOOK_EVENT_NAMES,
  type SubscriptionErrorType,
} from '@pogo/pusher-protocol';
import { describe, expect, it } from 'vitest';
import { ROOT } from './support/checkout.js';

const read = (name: string) => readFile(join(ROOT, 'docs', name), 'utf8');

/** Lines of the blocks behind a mark; as JSON Prettier would lay them out. */
async function examples(mark: 'from the server' | 'from the client'): Promise<string[]> {
  const page = await read('protocol.md');
  const blocks = page.matchAll(/^<!-- (from the \w+) -->\n\n```text\n(.*?)^```$/gms);
  return [...blocks].flatMap(([, found, code = '']) => (found === mark ? code.trim().split('\n') : []));
}

const ADA = { userId: 'ada', userInfoJson: '{"name":"Ada"}' };
const [BOB, CYD] = [{ userId: 'bob' }, { userId: 'cyd' }];
const REFUSED = new SubscriptionError('private-news', 'AuthError', 'Invalid signature');
const USER_DATA = '{"id":"ada","watchlist":["bob","cyd"]}';

/** What the server says, by the functions with which it does. */
const SAID = [
  pusherMessages.connectionEstablished('1.2', 120),
  pusherMessages.error(PusherErrors.applicationDoesNotExist),
  pusherMessages.subscriptionSucceeded('news'),
  ...pusherMessages.subscriptionRefused(REFUSED),
  pusherMessages.presenceSubscriptionSucceeded('presence-room', [ADA, BOB]),
  pusherMessages.memberAdded('presence-room', CYD),
  pusherMessages.memberRemoved('presence-room', CYD),
  pusherMessages.cacheMiss('cache-prices'),
  pusherMessages.subscriptionCount('news', 3),
  pusherMessages.event('news', 'posted', JSON.stringify('{"id":1}')),
  pusherMessages.clientEvent('presence-room', 'client-typing', '{"at":1}', ADA),
  pusherMessages.error(PusherErrors.clientEventNotMember),
  pusherMessages.signinSuccess(USER_DATA),
  pusherMessages.watchlistEvents(['bob'], ['cyd']),
  pusherMessages.watchlistEvents(['cyd'], []),
  pusherMessages.pong(),
];

describe('docs/protocol.md', () => {
  it('shows all that the server says, as it says it', async () => {
    expect(await examples('from the server')).toEqual(SAID);
  });

  it('shows what the server understands, and each kind of it', async () => {
    const messages = (await examples('from the client')).map(decodeMessage);
    expect(messages.map(({ event }) => event)).not.toContain('invalid');
    const { subscribe, unsubscribe, signin, ping, pong } = EventName;
    expect(new Set(messages.map(({ event }) => event))).toEqual(
      new Set([subscribe, unsubscribe, signin, ping, pong, 'client-typing']),
    );
  });

  it.each(Object.values(EventName))('has %s', async (name) => {
    expect(await read('protocol.md')).toContain(`"event":"${name}"`);
  });

  const errors = [
    ...Object.values(PusherErrors),
    ...Object.values(ReverbErrors),
    subscriptionRejected('{channel}'),
    { ...clientEventNameTooLong(0), message: 'the event name exceeds the allowed maximum' },
    { ...clientEventDataTooLong(0), message: 'the data exceeds the allowed maximum' },
  ];
  it.each(errors.map(({ code, message }) => [code, message] as const))('has %i %s', async (code, message) => {
    const rows = (await read('protocol.md')).split('\n').filter((line) => line.startsWith(`| ${code} `));
    expect(rows.filter((row) => row.includes(message))).toHaveLength(1);
  });

  const types: readonly SubscriptionErrorType[] = ['AuthError', 'InvalidChannel', 'LimitReached', 'AuthTimeout'];
  it.each(types)('has a subscription_error of type %s, and its status', async (type) => {
    const { status } = new SubscriptionError('c', type, '');
    expect((await read('protocol.md')).replaceAll('\n', ' ')).toContain(`\`${type}\` ${status}`);
  });

  it.each(Object.keys(DEFAULT_LIMITS))('has the limit %s', async (limit) => {
    const setting = limit.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const rows = (await read('protocol.md')).split('\n').filter((line) => line.startsWith('| `'));
    expect(rows.filter((row) => row.includes(`\`${setting}\``))).toHaveLength(1);
  });

  it.each(WEBHOOK_EVENT_NAMES)('leads to a page that has the webhook %s', async (name) => {
    expect(await read('protocol.md')).toContain('(webhooks.md)');
    expect((await read('webhooks.md')).split('\n').filter((line) => line.startsWith(`| \`${name}\``))).toHaveLength(1);
  });
});
