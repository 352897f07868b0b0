import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from './limits.js';
import {
  findMemberId,
  memberLimitBroken,
  memberOf,
  parseChannelData,
  parseUserData,
  userDataOf,
  userIdAsSigned,
} from './user.js';

describe('The member in channel_data', () => {
  it.each([
    ['{"user_id":"1"}', '1'],
    ['{"user_id":"__proto__"}', '__proto__'],
    ['{"user_id":"a b é"}', 'a b é'],
    ['{"user_id":" "}', ' '],
  ])('of %s has the id %j', (channelData, userId) => {
    expect(parseChannelData(channelData)).toEqual({ userId });
  });

  it('keeps every digit of a 64-bit id, or two users would be one member', () => {
    expect(parseChannelData('{"user_id":9007199254740993}')).toMatchObject({ userId: '9007199254740993' });
    expect(parseChannelData('{"user_id":1234567890123456789}')).toMatchObject({ userId: '1234567890123456789' });
  });

  it.each([
    ['{"user_id":1}', '1', '1'],
    ['{"user_id":0}', '0', '0'],
    ['{"user_id":-1}', '-1', '-1'],
    ['{"user_id": 10 ,"user_info":null}', '10', '10'],
    ['{"user_id":9007199254740991}', '9007199254740991', '9007199254740991'],
    ['{"user_id":9007199254740993}', '9007199254740993', '9007199254740993'],
    ['{"user_id":1.0}', '1', '1.0'],
    ['{"user_id":1e2}', '100', '1e2'],
    ['{"user_id":"1","user_id":2}', '2', '2'],
  ])('of %s has the id %j, and is known to be a number: %j', (channelData, userId, userIdJson) => {
    expect(parseChannelData(channelData)).toEqual({ userId, userIdJson });
  });

  it('keeps user_info as the app wrote it', () => {
    expect(parseChannelData('{"user_info":{ "n": 1.0 },"user_id":"1"}')).toEqual({
      userId: '1',
      userInfoJson: '{ "n": 1.0 }',
    });
  });

  it.each(['"text"', '7', '[1]', 'false', '{}', '""'])('may have %s as user_info', (userInfoJson) => {
    expect(parseChannelData(`{"user_id":"1","user_info":${userInfoJson}}`)).toEqual({ userId: '1', userInfoJson });
  });

  it.each([
    '',
    '{',
    'null',
    '1',
    '"1"',
    '[]',
    '["user_id"]',
    '{}',
    '{"user_id":""}',
    '{"user_id":null}',
    '{"user_id":true}',
    '{"user_id":[1]}',
    '{"user_id":{"id":1}}',
    '{"user_id":1e999}',
    '{"userId":"1"}',
    '{"id":"1"}',
    '{"__proto__":{"user_id":"1"}}',
  ])('is not in %j', (channelData) => {
    expect(parseChannelData(channelData)).toBeUndefined();
  });
});

describe('The id in a JSON text', () => {
  it.each(['', '{', 'nan', '""', 'null', 'true', '[1]', '{"id":1}', '1e999', '07'])('is not in %j', (text) => {
    expect(findMemberId(text)).toBeUndefined();
  });

  it('is written as it was signed', () => {
    expect(userIdAsSigned({ userId: 'a"b' })).toBe(String.raw`"a\"b"`);
    expect(userIdAsSigned({ userId: '7' })).toBe('"7"');
    expect(userIdAsSigned({ userId: '7', userIdJson: '7' })).toBe('7');
  });
});

describe('The limits of a member', () => {
  it('hold the user id to 128 bytes', () => {
    expect(memberLimitBroken({ userId: 'é'.repeat(64) }, DEFAULT_LIMITS)).toBeUndefined();
    expect(memberLimitBroken({ userId: `${'é'.repeat(64)}a` }, DEFAULT_LIMITS)).toBe(
      'user_id exceeds the allowed maximum (128 bytes)',
    );
  });

  it('hold a number to as many bytes, however it is written', () => {
    const written = (userIdJson: string) => memberLimitBroken({ userId: '7', userIdJson }, DEFAULT_LIMITS);
    expect(written(`7.${'0'.repeat(126)}`)).toBeUndefined();
    expect(written(`7.${'0'.repeat(127)}`)).toBe('user_id exceeds the allowed maximum (128 bytes)');
  });

  it('hold user_info to 2048 bytes of JSON', () => {
    const fitting = JSON.stringify('é'.repeat(1_023));
    expect(memberLimitBroken({ userId: '1', userInfoJson: fitting }, DEFAULT_LIMITS)).toBeUndefined();
    expect(memberLimitBroken({ userId: '1', userInfoJson: `${fitting} ` }, DEFAULT_LIMITS)).toBe(
      'user_info exceeds the allowed maximum (2048 bytes)',
    );
  });

  it('are those of the app', () => {
    const limits = { ...DEFAULT_LIMITS, presenceMaxUserIdLength: 3, presenceMaxUserInfoBytes: 2 };
    expect(memberLimitBroken({ userId: 'abc', userInfoJson: '{}' }, limits)).toBeUndefined();
    expect(memberLimitBroken({ userId: 'abcd' }, limits)).toContain('(3 bytes)');
    expect(memberLimitBroken({ userId: 'abc', userInfoJson: '[1]' }, limits)).toContain('(2 bytes)');
  });
});

describe('The user in user_data', () => {
  it('has an id, and may have user_info and a watchlist', () => {
    expect(parseUserData('{"id":"12345"}')).toEqual({ id: '12345', watchlist: [] });
    expect(parseUserData('{"id":"1","user_info":{ "a": 1.0 },"watchlist":["2","3"]}')).toEqual({
      id: '1',
      userInfoJson: '{ "a": 1.0 }',
      watchlist: ['2', '3'],
    });
  });

  it('may say that it has neither with null', () => {
    expect(parseUserData('{"id":"1","user_info":null,"watchlist":null}')).toEqual({ id: '1', watchlist: [] });
  });

  it('has an id of at most 128 bytes', () => {
    expect(parseUserData(JSON.stringify({ id: 'é'.repeat(64) }))).toMatchObject({ id: 'é'.repeat(64) });
    expect(parseUserData(JSON.stringify({ id: `${'é'.repeat(64)}a` }))).toBeUndefined();
  });

  it.each([
    '',
    '{',
    'null',
    '[]',
    '"1"',
    '{}',
    '{"id":""}',
    '{"id":1}',
    '{"id":null}',
    '{"id":["1"]}',
    '{"user_id":"1"}',
    '{"__proto__":{"id":"1"}}',
    '{"id":"1","watchlist":"2"}',
    '{"id":"1","watchlist":[2]}',
    '{"id":"1","watchlist":{"0":"2"}}',
    '{"id":"1","watchlist":[["2"]]}',
  ])('is not in %j', (userData) => {
    expect(parseUserData(userData)).toBeUndefined();
  });

  it('is the member of a presence channel that it joins without channel_data', () => {
    expect(memberOf({ id: '1', watchlist: ['2'] })).toEqual({ userId: '1' });
    expect(memberOf({ id: '1', userInfoJson: '{"a":1}', watchlist: [] })).toEqual({
      userId: '1',
      userInfoJson: '{"a":1}',
    });
  });
});

describe('What a client is told of its user', () => {
  it.each([
    ['what it sent itself, to the letter', '{"user_info":{"a":1} , "id":"ada"}', '{"user_info":{"a":1} , "id":"ada"}'],
    ['another id, when that was decided', '{"id":"bob"}', '{"id":"ada","user_info":{"name":"Ada"}}'],
    ['who it is, when it said nothing that can be read', 'a token', '{"id":"ada","user_info":{"name":"Ada"}}'],
  ])('is %s', (_, userData, told) => {
    expect(userDataOf({ id: 'ada', userInfoJson: '{"name":"Ada"}', watchlist: [] }, userData)).toBe(told);
  });

  it('has an id that is written as JSON', () => {
    expect(JSON.parse(userDataOf({ id: 'a"\\b', watchlist: [] }, ''))).toEqual({ id: 'a"\\b' });
  });
});
