import { describe, expect, it } from 'vitest';
import { PusherErrors, SubscriptionError, type SubscriptionErrorType } from './pusher-error.js';
import { messagesOf, pusherMessages as messages } from './server-message.js';

/** Texts are compared as they leave: key order and escapes are part of what clients and tests see. */
describe('The pusher dialect says', () => {
  it('is what an app speaks unless told otherwise', () => {
    expect(messagesOf('pusher')).toBe(messages);
  });

  it('hello with the socket id and the activity timeout in a JSON string', () => {
    expect(messages.connectionEstablished('1.2', 120)).toBe(
      String.raw`{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\",\"activity_timeout\":120}"}`,
    );
  });

  it('pong with nothing else', () => {
    expect(messages.pong()).toBe('{"event":"pusher:pong"}');
  });

  it('an error as an object with code and message', () => {
    expect(messages.error(PusherErrors.originNotAllowed)).toBe(
      '{"event":"pusher:error","data":{"code":4009,"message":"Origin not allowed"}}',
    );
  });

  it('an error whose sentence has quotes in it', () => {
    expect(messages.error({ code: 4200, message: 'a "b" \\ \n' })).toBe(
      String.raw`{"event":"pusher:error","data":{"code":4200,"message":"a \"b\" \\ \n"}}`,
    );
  });

  it.each<[SubscriptionErrorType, number]>([
    ['AuthError', 401],
    ['InvalidChannel', 400],
    ['LimitReached', 403],
    ['AuthTimeout', 503],
  ])('an error, then a subscription error of type %s with status %i', (type, status) => {
    expect(messages.subscriptionRefused(new SubscriptionError('private-a', type, 'No "way"'))).toEqual([
      '{"event":"pusher:error","data":{"code":4009,"message":"Subscription to private-a rejected"}}',
      `{"event":"pusher:subscription_error","channel":"private-a","data":{"type":"${type}","error":"No \\"way\\"","status":${status}}}`,
    ]);
  });

  it('that a subscription succeeded', () => {
    expect(messages.subscriptionSucceeded('private-a')).toBe(
      '{"event":"pusher_internal:subscription_succeeded","channel":"private-a","data":"{}"}',
    );
  });

  it('that there is no cached event', () => {
    expect(messages.cacheMiss('cache-a')).toBe('{"event":"pusher:cache_miss","channel":"cache-a"}');
  });

  it('that a signin succeeded, with the user data as text in an object', () => {
    expect(messages.signinSuccess('{"id":"1"}')).toBe(
      String.raw`{"event":"pusher:signin_success","data":{"user_data":"{\"id\":\"1\"}"}}`,
    );
  });
});

describe('Presence in the pusher dialect', () => {
  it('lists nobody', () => {
    expect(messages.presenceSubscriptionSucceeded('presence-a', [])).toBe(
      String.raw`{"event":"pusher_internal:subscription_succeeded","channel":"presence-a","data":"{\"presence\":{\"count\":0,\"ids\":[],\"hash\":{}}}"}`,
    );
  });

  it('lists members with a key in the hash for everyone, {} for those without user_info', () => {
    const members = [{ userId: '1', userInfoJson: '{"name":"Ä"}' }, { userId: '2' }];
    expect(messages.presenceSubscriptionSucceeded('presence-a', members)).toBe(
      String.raw`{"event":"pusher_internal:subscription_succeeded","channel":"presence-a","data":"{\"presence\":{\"count\":2,\"ids\":[\"1\",\"2\"],\"hash\":{\"1\":{\"name\":\"Ä\"},\"2\":{}}}}"}`,
    );
  });

  it('keeps the order of arrival and ids that an object would treat in its own way', () => {
    const members = [{ userId: 'b' }, { userId: '__proto__' }, { userId: '7' }, { userId: 'a"b' }];
    const text = messages.presenceSubscriptionSucceeded('presence-a', members);
    const { data } = JSON.parse(text) as { data: string };
    expect(data).toBe(
      String.raw`{"presence":{"count":4,"ids":["b","__proto__","7","a\"b"],"hash":{"b":{},"__proto__":{},"7":{},"a\"b":{}}}}`,
    );
  });

  it('says who was added, with {} for a member without user_info', () => {
    expect(messages.memberAdded('presence-a', { userId: '1', userInfoJson: '{"n":1.0}' })).toBe(
      String.raw`{"event":"pusher_internal:member_added","channel":"presence-a","data":"{\"user_id\":\"1\",\"user_info\":{\"n\":1.0}}"}`,
    );
    expect(messages.memberAdded('presence-a', { userId: '1' })).toBe(
      String.raw`{"event":"pusher_internal:member_added","channel":"presence-a","data":"{\"user_id\":\"1\",\"user_info\":{}}"}`,
    );
  });

  it('says who was removed', () => {
    expect(messages.memberRemoved('presence-a', { userId: 'é"' })).toBe(
      String.raw`{"event":"pusher_internal:member_removed","channel":"presence-a","data":"{\"user_id\":\"é\\\"\"}"}`,
    );
  });
});

describe('An id that the app signed as a number, in the pusher dialect', () => {
  const member = { userId: '7', userIdJson: '7' };

  it.each([
    ['the list of members', messages.presenceSubscriptionSucceeded('presence-a', [member])],
    ['who was added', messages.memberAdded('presence-a', member)],
    ['who was removed', messages.memberRemoved('presence-a', member)],
  ])('is text in %s', (_what, text) => {
    const { data } = JSON.parse(text) as { data: string };
    expect(data).toContain('"7"');
    expect(data).not.toMatch(/[[:]7/);
  });

  it('is text in a client event', () => {
    expect(messages.clientEvent('presence-a', 'client-x', '1', member)).toContain('"user_id":"7"');
  });
});

describe('An event in the pusher dialect', () => {
  it.each([
    ['{"some":"data"}', String.raw`"{\"some\":\"data\"}"`],
    ['plain text', '"plain text"'],
    ['7', '"7"'],
    ['null', '"null"'],
    ['', '""'],
    ['"quoted"', String.raw`"\"quoted\""`],
    ['line\nfeed \u2028', '"line\\nfeed \u2028"'],
    ['\ud800', String.raw`"\ud800"`],
  ])('has its data %j as the string %s', (data, expected) => {
    expect(messages.event('a', 'my-event', JSON.stringify(data))).toBe(
      `{"event":"my-event","channel":"a","data":${expected}}`,
    );
  });

  it('has its name and channel escaped', () => {
    expect(messages.event('#server-to-user-a"b', 'App\\Events\\X', '"d"')).toBe(
      String.raw`{"event":"App\\Events\\X","channel":"#server-to-user-a\"b","data":"d"}`,
    );
  });

  it('of a client has its data as sent, and the user id on presence channels', () => {
    expect(messages.clientEvent('private-a', 'client-x', '{"n": 1.0}', undefined)).toBe(
      '{"event":"client-x","channel":"private-a","data":{"n": 1.0}}',
    );
    expect(messages.clientEvent('presence-a', 'client-x', '"text"', { userId: '1' })).toBe(
      '{"event":"client-x","channel":"presence-a","data":"text","user_id":"1"}',
    );
  });

  it('of a client has no data when none was sent', () => {
    expect(messages.clientEvent('private-a', 'client-x', undefined, undefined)).toBe(
      '{"event":"client-x","channel":"private-a"}',
    );
    expect(messages.clientEvent('presence-a', 'client-x', undefined, { userId: 'é"' })).toBe(
      String.raw`{"event":"client-x","channel":"presence-a","user_id":"é\""}`,
    );
  });
});
