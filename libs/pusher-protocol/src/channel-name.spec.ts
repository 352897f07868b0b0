import { describe, expect, it } from 'vitest';
import { parseChannelName, serverToUserChannel, type ChannelKind } from './channel-name.js';

const MAX = 200;

describe('The kind of a channel', () => {
  it.each<[name: string, kind: ChannelKind, isEncrypted: boolean, isCached: boolean]>([
    ['room', 'public', false, false],
    ['private-room', 'private', false, false],
    ['private-encrypted-room', 'private', true, false],
    ['presence-room', 'presence', false, false],
    ['cache-room', 'public', false, true],
    ['private-cache-room', 'private', false, true],
    ['private-encrypted-cache-room', 'private', true, true],
    ['presence-cache-room', 'presence', false, true],
  ])('of %s is %s, encrypted: %s, cached: %s', (name, kind, isEncrypted, isCached) => {
    expect(parseChannelName(name, MAX)).toEqual({ name, kind, isEncrypted, isCached });
  });

  it.each([
    'privateer',
    'private',
    'private_room',
    'Private-room',
    'x-private-a',
    'x-presence-a',
    'presence',
    'presences-a',
    'PRESENCE-a',
    'my-cache-room',
    'cache',
    'cached-room',
    'privatecache-a',
    'presencecache-a',
    'encrypted-a',
    'encrypted-cache-a',
    'cached',
    'server-to-user-1',
    '__proto__',
    'constructor',
    'toString',
  ])('of the near miss %s is public, and nothing of it is cached or encrypted', (name) => {
    expect(parseChannelName(name, MAX)).toEqual({ name, kind: 'public', isEncrypted: false, isCached: false });
  });

  it.each([
    ['private-encrypted', { kind: 'private', isEncrypted: false, isCached: false }],
    ['private-encryptedcache-a', { kind: 'private', isEncrypted: false, isCached: false }],
    ['private-cache', { kind: 'private', isEncrypted: false, isCached: false }],
    ['private-cached-a', { kind: 'private', isEncrypted: false, isCached: false }],
    ['private-cache-encrypted-a', { kind: 'private', isEncrypted: false, isCached: true }],
    ['private-encrypted-cached', { kind: 'private', isEncrypted: true, isCached: false }],
    ['private-presence-a', { kind: 'private', isEncrypted: false, isCached: false }],
    ['presence-cache', { kind: 'presence', isEncrypted: false, isCached: false }],
    ['presence-private-a', { kind: 'presence', isEncrypted: false, isCached: false }],
    ['presence-encrypted-a', { kind: 'presence', isEncrypted: false, isCached: false }],
    ['cache-private-a', { kind: 'public', isEncrypted: false, isCached: true }],
  ])('of %s follows its exact prefix and no more', (name, traits) => {
    expect(parseChannelName(name, MAX)).toEqual({ name, ...traits });
  });
});

describe('A channel name', () => {
  it('may have every letter, digit and sign that Pusher allows', () => {
    const name = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-=@,.;';
    expect(parseChannelName(name, MAX)).toMatchObject({ name });
  });

  it.each([
    ['nothing at all', ''],
    ['a space', 'a b'],
    ['a slash', 'a/b'],
    ['a colon', 'a:b'],
    ['a hash', '#room'],
    ['a plus', 'a+b'],
    ['a star', 'a*'],
    ['a question mark', 'a?'],
    ['a percent sign', 'a%20b'],
    ['a line feed at its end', 'room\n'],
    ['a NUL', 'a\0b'],
    ['an umlaut', 'räume'],
    ['an emoji', '😀'],
    ['a lone surrogate', '\ud800'],
    ['a private prefix before a bad sign', 'private-a b'],
  ])('may not be %s', (_what, name) => {
    expect(parseChannelName(name, MAX)).toBe('malformed');
  });

  it('may be exactly as long as the limit and not a byte longer', () => {
    expect(parseChannelName('a'.repeat(200), 200)).toMatchObject({ kind: 'public' });
    expect(parseChannelName('a'.repeat(201), 200)).toBe('too_long');
    expect(parseChannelName(`presence-${'a'.repeat(191)}`, 200)).toMatchObject({ kind: 'presence' });
    expect(parseChannelName(`presence-${'a'.repeat(192)}`, 200)).toBe('too_long');
  });

  it('is measured in bytes of UTF-8, so that 101 umlauts are too long for 200', () => {
    expect(parseChannelName('ä'.repeat(100), 200)).toBe('malformed');
    expect(parseChannelName('ä'.repeat(101), 200)).toBe('too_long');
  });
});

describe('The channel of one signed-in user', () => {
  it.each(['1', 'alice', 'a b', 'alice@example.com', '👩', '__proto__', 'a/b:c#d', '#server-to-user-1'])(
    'exists for user %j, whatever signs the id has',
    (userId) => {
      const name = `#server-to-user-${userId}`;
      expect(parseChannelName(name, MAX)).toEqual({ name, kind: 'user', isEncrypted: false, isCached: false, userId });
    },
  );

  it('is named as the server libraries name it', () => {
    expect(serverToUserChannel('12345')).toBe('#server-to-user-12345');
    expect(parseChannelName(serverToUserChannel('12345'), MAX)).toMatchObject({ kind: 'user', userId: '12345' });
  });

  it('does not exist without a user id', () => {
    expect(parseChannelName('#server-to-user-', MAX)).toBe('malformed');
  });

  it.each(['#server-to-user', '#server-to-users-1', '#Server-to-user-1', ' #server-to-user-1', '#1'])(
    'is not meant by %j',
    (name) => {
      expect(parseChannelName(name, MAX)).toBe('malformed');
    },
  );

  it('takes every id that can sign in, up to 128 bytes, whatever the limit of other names is', () => {
    expect(parseChannelName(`#server-to-user-${'a'.repeat(128)}`, 20)).toMatchObject({ kind: 'user' });
    expect(parseChannelName(`#server-to-user-${'a'.repeat(129)}`, 20)).toBe('too_long');
    expect(parseChannelName(`#server-to-user-${'é'.repeat(64)}`, 20)).toMatchObject({ kind: 'user' });
    expect(parseChannelName(`#server-to-user-${'é'.repeat(65)}`, 20)).toBe('too_long');
  });
});
