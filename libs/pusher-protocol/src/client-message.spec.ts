import { describe, expect, it } from 'vitest';
import { decodeMessage } from './client-message.js';

const INVALID = { event: 'invalid' };
const decode = (message: unknown) => decodeMessage(JSON.stringify(message));

describe('pusher:subscribe', () => {
  it('carries the channel, the signature and the channel data', () => {
    const data = { channel: 'presence-a', auth: 'key:sig', channel_data: '{"user_id":"1"}' };
    expect(decode({ event: 'pusher:subscribe', data })).toEqual({
      event: 'pusher:subscribe',
      channel: 'presence-a',
      auth: 'key:sig',
      channelData: '{"user_id":"1"}',
    });
  });

  it.each([
    {},
    { auth: '' },
    { auth: null },
    { channel_data: '' },
    { channel_data: null },
    { auth: '', channel_data: '' },
  ])('takes %j for the absence of both, as pusher-js sends it for public channels', (extra) => {
    expect(decode({ event: 'pusher:subscribe', data: { channel: 'a', ...extra } })).toEqual({
      event: 'pusher:subscribe',
      channel: 'a',
    });
  });

  it('may have its data as JSON text, as older client libraries send it', () => {
    expect(decode({ event: 'pusher:subscribe', data: '{"channel":"a","auth":"k:s"}' })).toEqual({
      event: 'pusher:subscribe',
      channel: 'a',
      auth: 'k:s',
    });
  });

  it.each([
    undefined,
    null,
    'a',
    '"a"',
    '[]',
    1,
    [],
    ['a'],
    {},
    { channel: null },
    { channel: 7 },
    { channel: ['a'] },
    { channel: { name: 'a' } },
    { channel: 'a', auth: 1 },
    { channel: 'a', auth: {} },
    { channel: 'a', auth: false },
    { channel: 'a', channel_data: {} },
    { channel: 'a', channel_data: 0 },
    { channel: 'a', channel_data: ['x'] },
  ])('with data %j is invalid', (data) => {
    expect(decode({ event: 'pusher:subscribe', data })).toEqual(INVALID);
  });

  it('is not fooled by a __proto__ key', () => {
    expect(decodeMessage('{"event":"pusher:subscribe","data":{"__proto__":{"channel":"a"}}}')).toEqual(INVALID);
    expect(decodeMessage('{"__proto__":{"event":"pusher:ping"}}')).toEqual(INVALID);
  });

  it('keeps a channel that is called __proto__', () => {
    expect(decode({ event: 'pusher:subscribe', data: { channel: '__proto__' } })).toMatchObject({
      channel: '__proto__',
    });
  });
});

describe('pusher:unsubscribe', () => {
  it('carries the channel', () => {
    expect(decode({ event: 'pusher:unsubscribe', data: { channel: 'a' } })).toEqual({
      event: 'pusher:unsubscribe',
      channel: 'a',
    });
  });

  it.each([undefined, null, [], {}, { channel: 1 }, { channel: null }])('with data %j is invalid', (data) => {
    expect(decode({ event: 'pusher:unsubscribe', data })).toEqual(INVALID);
  });
});

describe('pusher:signin', () => {
  it('carries the signature and the user data', () => {
    expect(decode({ event: 'pusher:signin', data: { auth: 'k:s', user_data: '{"id":"1"}' } })).toEqual({
      event: 'pusher:signin',
      auth: 'k:s',
      userData: '{"id":"1"}',
    });
  });

  it.each([
    undefined,
    {},
    { auth: 'k:s' },
    { user_data: '{}' },
    { auth: 1, user_data: '{}' },
    { auth: 'k:s', user_data: {} },
  ])('with data %j is invalid', (data) => {
    expect(decode({ event: 'pusher:signin', data })).toEqual(INVALID);
  });
});

describe('pusher:ping and pusher:pong', () => {
  it.each([undefined, {}, null, '', 'x', [1]])('need no data and ignore %j', (data) => {
    expect(decode({ event: 'pusher:ping', data })).toEqual({ event: 'pusher:ping' });
    expect(decode({ event: 'pusher:pong', data })).toEqual({ event: 'pusher:pong' });
  });
});

describe('A client event', () => {
  it.each(['{"a":1}', '"text"', '1.0', '12345678901234567890', 'null', 'false', '[1, 2]', '""', '{ "b" : 1,"a":2 }'])(
    'keeps its data %s as it was sent',
    (data) => {
      expect(decodeMessage(`{"event":"client-x","channel":"private-a","data":${data}}`)).toEqual({
        event: 'client-x',
        channel: 'private-a',
        dataJson: data,
      });
    },
  );

  it('may have no data', () => {
    expect(decode({ event: 'client-x', channel: 'private-a' })).toEqual({ event: 'client-x', channel: 'private-a' });
  });

  it('keeps data nested a hundred thousand levels deep', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(decodeMessage(`{"event":"client-x","channel":"private-a","data":${deep}}`)).toMatchObject({
      dataJson: deep,
    });
  });

  it.each([undefined, null, 1, ['private-a'], {}])('without a channel name (%j) is invalid', (channel) => {
    expect(decode({ event: 'client-x', channel, data: {} })).toEqual(INVALID);
  });

  it.each(['client-', 'client', 'x-client-y', 'pusher_internal:client-x', 'pusher:client-x', 'Client-x'])(
    'is not what is called %j',
    (event) => {
      expect(decode({ event, channel: 'private-a', data: {} })).toEqual(INVALID);
    },
  );
});

describe('Invalid is', () => {
  it.each([
    '',
    ' ',
    'pusher:ping',
    '{',
    '{"event":"pusher:ping"',
    '{"event":"pusher:ping"}}',
    "{'event':'pusher:ping'}",
    'null',
    'true',
    '1',
    '"pusher:ping"',
    '[]',
    '[{"event":"pusher:ping"}]',
    '{}',
    '{"event":null}',
    '{"event":1}',
    '{"event":["pusher:ping"]}',
    '{"event":{"name":"pusher:ping"}}',
    '{"Event":"pusher:ping"}',
    '{"event":""}',
    '{"event":"ping"}',
    '{"event":"PUSHER:PING"}',
    '{"event":"pusher:unknown"}',
    '{"event":"pusher:error"}',
    '{"event":"pusher:connection_established","data":{}}',
    '{"event":"pusher_internal:subscription_succeeded","channel":"a","data":"{}"}',
    '{"event":"my-event","channel":"a","data":{}}',
    '{"event":"constructor"}',
    '\ufeff{"event":"pusher:ping"}',
    '\0',
  ])('the text %j', (text) => {
    expect(decodeMessage(text)).toEqual(INVALID);
  });

  it('JSON so deep that a recursive reader would fall over it', () => {
    expect(decodeMessage('['.repeat(200_000))).toEqual(INVALID);
    expect(decodeMessage('{"a":'.repeat(100_000))).toEqual(INVALID);
    expect(decodeMessage('['.repeat(200_000) + ']'.repeat(200_000))).toEqual(INVALID);
  });
});
