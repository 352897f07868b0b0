import { describe, expect, it } from 'vitest';
import {
  clientEventDataTooLong,
  clientEventNameTooLong,
  PusherErrors,
  SubscriptionError,
  type SubscriptionErrorType,
} from './pusher-error.js';
import { messagesOf, pusherMessages } from './server-message.js';

const messages = messagesOf('reverb');

/** Texts are compared as they leave; most are those of Reverb's own tests. */
describe('The reverb dialect says', () => {
  it('hello with an activity timeout of 30 s, or less when the server has less', () => {
    const hello = (seconds: number) =>
      String.raw`{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\",\"activity_timeout\":${seconds}}"}`;
    expect(messages.connectionEstablished('1.2', 120)).toBe(hello(30));
    expect(messages.connectionEstablished('1.2', 10)).toBe(hello(10));
  });

  it('an error with code and message in a JSON string', () => {
    expect(messages.error(PusherErrors.applicationDoesNotExist)).toBe(
      String.raw`{"event":"pusher:error","data":"{\"code\":4001,\"message\":\"Application does not exist\"}"}`,
    );
    expect(messages.error({ code: 4200, message: 'a "b"' })).toBe(
      String.raw`{"event":"pusher:error","data":"{\"code\":4200,\"message\":\"a \\\"b\\\"\"}"}`,
    );
  });

  it.each<SubscriptionErrorType>(['AuthError', 'InvalidChannel', 'LimitReached', 'AuthTimeout'])(
    'nothing of a subscription refused for %s but that the connection is unauthorized',
    (type) => {
      expect(messages.subscriptionRefused(new SubscriptionError('private-a', type, 'No way'))).toEqual([
        String.raw`{"event":"pusher:error","data":"{\"code\":4009,\"message\":\"Connection is unauthorized\"}"}`,
      ]);
    },
  );

  it.each([
    [PusherErrors.signinFailed, 4009, 'Connection is unauthorized'],
    [PusherErrors.clientEventNotMember, 4009, 'The client is not a member of the specified channel.'],
    [PusherErrors.clientEventRateLimit, 4301, 'Rate limit exceeded'],
  ])('%j as %i %s', (error, code, message) => {
    expect(errorIn(messages.error(error))).toEqual({ code, message });
  });

  it.each([
    PusherErrors.originNotAllowed,
    PusherErrors.terminatedByApp,
    PusherErrors.notAuthorizedInTime,
    PusherErrors.clientEventsDisabled,
    PusherErrors.clientEventChannelKind,
    clientEventNameTooLong(1),
    clientEventDataTooLong(2),
  ])('%j in the same words', (error) => {
    expect(errorIn(messages.error(error))).toEqual(error);
  });

  it.each([
    ['pong', messages.pong(), pusherMessages.pong()],
    ['a cache miss', messages.cacheMiss('cache-a'), pusherMessages.cacheMiss('cache-a')],
    ['a sign-in', messages.signinSuccess('{"id":"1"}'), pusherMessages.signinSuccess('{"id":"1"}')],
    ['watchlist events', messages.watchlistEvents(['1'], []), pusherMessages.watchlistEvents(['1'], [])],
  ])('%s as the pusher dialect does: no channel stands behind data', (_what, text, same) => {
    expect(text).toBe(same);
  });
});

describe('The channel is the last key in the reverb dialect', () => {
  it('of an acknowledgement', () => {
    expect(messages.subscriptionSucceeded('test-channel')).toBe(
      '{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":"test-channel"}',
    );
  });

  it('of an event', () => {
    expect(messages.event('test-channel', 'App\\Events\\TestEvent', JSON.stringify('{"foo":"bar"}'))).toBe(
      String.raw`{"event":"App\\Events\\TestEvent","data":"{\"foo\":\"bar\"}","channel":"test-channel"}`,
    );
  });

  it('of a subscription count', () => {
    expect(messages.subscriptionCount('a', 3)).toBe(
      String.raw`{"event":"pusher_internal:subscription_count","data":"{\"subscription_count\":3}","channel":"a"}`,
    );
  });
});

describe('A client event in the reverb dialect', () => {
  it('has event, channel and data, in this order', () => {
    expect(messages.clientEvent('test-channel', 'client-start-typing', '{"id":123}', undefined)).toBe(
      '{"event":"client-start-typing","channel":"test-channel","data":{"id":123}}',
    );
  });

  it('has null where none was sent', () => {
    expect(messages.clientEvent('private-a', 'client-x', undefined, undefined)).toBe(
      '{"event":"client-x","channel":"private-a","data":null}',
    );
  });

  it('has the user id behind them, of the type that was signed', () => {
    expect(messages.clientEvent('presence-a', 'client-x', '{}', { userId: '1', userIdJson: '1' })).toBe(
      '{"event":"client-x","channel":"presence-a","data":{},"user_id":1}',
    );
    expect(messages.clientEvent('presence-a', 'client-x', '{}', { userId: '1' })).toBe(
      '{"event":"client-x","channel":"presence-a","data":{},"user_id":"1"}',
    );
  });
});

describe('Presence in the reverb dialect', () => {
  const seven = { userId: '7', userIdJson: '7', userInfoJson: '{"name":"Joe"}' };
  const big = { userId: '9007199254740993', userIdJson: '9007199254740993' };

  it('lists count, ids and hash; ids have the type that was signed, keys of the hash are text', () => {
    expect(messages.presenceSubscriptionSucceeded('presence-a', [seven, { userId: '8' }, big])).toBe(
      String.raw`{"event":"pusher_internal:subscription_succeeded","data":"{\"presence\":{\"count\":3,\"ids\":[7,\"8\",9007199254740993],\"hash\":{\"7\":{\"name\":\"Joe\"},\"8\":{},\"9007199254740993\":{}}}}","channel":"presence-a"}`,
    );
  });

  it('says who was added', () => {
    expect(messages.memberAdded('presence-a', seven)).toBe(
      String.raw`{"event":"pusher_internal:member_added","data":"{\"user_id\":7,\"user_info\":{\"name\":\"Joe\"}}","channel":"presence-a"}`,
    );
  });

  it('says who was removed, of the type that was signed', () => {
    expect(messages.memberRemoved('presence-a', seven)).toBe(
      String.raw`{"event":"pusher_internal:member_removed","data":"{\"user_id\":7}","channel":"presence-a"}`,
    );
    expect(messages.memberRemoved('presence-a', { userId: '7' })).toBe(
      String.raw`{"event":"pusher_internal:member_removed","data":"{\"user_id\":\"7\"}","channel":"presence-a"}`,
    );
  });
});

function errorIn(text: string): unknown {
  return JSON.parse((JSON.parse(text) as { data: string }).data);
}
