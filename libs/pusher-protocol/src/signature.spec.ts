import { createHmac } from 'node:crypto';
import Pusher from 'pusher';
import { describe, expect, it } from 'vitest';
import {
  bodyMd5,
  equalsInConstantTime,
  hmacSha256Hex,
  httpSigningText,
  signChannel,
  signHttpRequest,
  signUser,
  verifyChannelSignature,
  verifyUserSignature,
  type QueryPairs,
} from './signature.js';

/** The app of the worked examples in Pusher's documentation. */
const APP = { key: '278d425bdf160c739803', secret: '7ad3773142a6692b25b8' };
const SOCKET = '1234.1234';
const official = new Pusher({
  appId: '3',
  ...APP,
  cluster: 'mt1',
  encryptionMasterKeyBase64: Buffer.alloc(32, 7).toString('base64'),
});

const PRIVATE_AUTH = '278d425bdf160c739803:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4';
const PRESENCE_AUTH = '278d425bdf160c739803:31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80';
const USER_AUTH = '278d425bdf160c739803:4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba';
const CHANNEL_DATA = '{"user_id":10,"user_info":{"name":"Mr. Channels"}}';

describe('A channel signature', () => {
  it('is the one of the documentation for a private channel', () => {
    expect(signChannel(APP, SOCKET, 'private-foobar')).toBe(PRIVATE_AUTH);
  });

  it('is the one of the documentation for a presence channel', () => {
    expect(signChannel(APP, SOCKET, 'presence-foobar', CHANNEL_DATA)).toBe(PRESENCE_AUTH);
  });

  it.each(['private-a', 'presence-a', 'private-encrypted-a', 'private-cache-a', 'private-=@,.;_-'])(
    'for %s is the one that the official library makes',
    (channel) => {
      expect(signChannel(APP, SOCKET, channel)).toBe(official.authorizeChannel(SOCKET, channel).auth);
      const member = { user_id: 'ü😀', user_info: { name: 'Ö "x"' } };
      const { auth, channel_data } = official.authorizeChannel(SOCKET, channel, member);
      expect(signChannel(APP, SOCKET, channel, channel_data)).toBe(auth);
      expect(verifyChannelSignature(APP, auth, SOCKET, channel, channel_data)).toBe(true);
    },
  );

  it('is verified with the channel data it was made with', () => {
    expect(verifyChannelSignature(APP, PRIVATE_AUTH, SOCKET, 'private-foobar')).toBe(true);
    expect(verifyChannelSignature(APP, PRESENCE_AUTH, SOCKET, 'presence-foobar', CHANNEL_DATA)).toBe(true);
  });

  it.each([
    ['another socket', PRIVATE_AUTH, '1234.1235', 'private-foobar', undefined],
    ['another channel', PRIVATE_AUTH, SOCKET, 'private-foobaz', undefined],
    ['channel data that was not signed', PRIVATE_AUTH, SOCKET, 'private-foobar', '{}'],
    ['the key of another app', PRIVATE_AUTH.replace('278d', '279d'), SOCKET, 'private-foobar', undefined],
    ['a signature without its key', PRIVATE_AUTH.slice(21), SOCKET, 'private-foobar', undefined],
    ['an empty text', '', SOCKET, 'private-foobar', undefined],
    ['the key alone', '278d425bdf160c739803:', SOCKET, 'private-foobar', undefined],
    ['one digit less', PRIVATE_AUTH.slice(0, -1), SOCKET, 'private-foobar', undefined],
    ['one digit more', `${PRIVATE_AUTH}0`, SOCKET, 'private-foobar', undefined],
    ['one digit changed', `${PRIVATE_AUTH.slice(0, -1)}5`, SOCKET, 'private-foobar', undefined],
    ['upper-case digits', PRIVATE_AUTH.toUpperCase(), SOCKET, 'private-foobar', undefined],
    ['other channel data', PRESENCE_AUTH, SOCKET, 'presence-foobar', CHANNEL_DATA.replace('10', '11')],
    ['channel data left out', PRESENCE_AUTH, SOCKET, 'presence-foobar', undefined],
    ['a user signature', USER_AUTH, SOCKET, 'private-foobar', undefined],
  ])('is refused for %s', (_what, auth, socketId, channel, channelData) => {
    expect(verifyChannelSignature(APP, auth, socketId, channel, channelData)).toBe(false);
  });
});

describe('A user signature', () => {
  it('is the one of the documentation', () => {
    expect(signUser(APP, SOCKET, '{"id":"12345"}')).toBe(USER_AUTH);
    expect(verifyUserSignature(APP, USER_AUTH, SOCKET, '{"id":"12345"}')).toBe(true);
  });

  it('is the one that the official library makes', () => {
    const { auth, user_data } = official.authenticateUser(SOCKET, { id: 'ü', user_info: { a: 1 }, watchlist: ['2'] });
    expect(signUser(APP, SOCKET, user_data)).toBe(auth);
  });

  it.each([
    ['another socket', USER_AUTH, '1.1', '{"id":"12345"}'],
    ['another user', USER_AUTH, SOCKET, '{"id":"12346"}'],
    ['a space more', USER_AUTH, SOCKET, '{"id": "12345"}'],
    ['a channel signature', PRIVATE_AUTH, SOCKET, 'private-foobar'],
    ['an empty text', '', SOCKET, '{"id":"12345"}'],
  ])('is refused for %s', (_what, auth, socketId, userData) => {
    expect(verifyUserSignature(APP, auth, socketId, userData)).toBe(false);
  });
});

describe('The signature of an HTTP request', () => {
  const BODY = '{"name":"foo","channels":["project-3"],"data":"{\\"some\\":\\"data\\"}"}';
  const QUERY: QueryPairs = [
    ['auth_version', '1.0'],
    ['auth_key', APP.key],
    ['auth_timestamp', '1353088179'],
    ['body_md5', 'ec365a775a4cd0599faeb73354201b6f'],
  ];

  it('is the one of the documentation', () => {
    expect(bodyMd5(Buffer.from(BODY))).toBe('ec365a775a4cd0599faeb73354201b6f');
    expect(signHttpRequest(APP.secret, 'POST', '/apps/3/events', QUERY)).toBe(
      'da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c',
    );
  });

  it.each([
    ['GET', '/apps/3/channels', undefined, { filter_by_prefix: 'presence-', info: 'user_count' }],
    ['POST', '/apps/3/events', BODY, {}],
    ['GET', '/apps/3/channels/presence-ä', undefined, { info: 'user_count,subscription_count' }],
  ])('for %s %s is the one that the official library makes', (method, path, body, params) => {
    const signed = official.createSignedQueryString({ method, path, params, ...(body === undefined ? {} : { body }) });
    const pairs = signed.split('&').map((pair) => pair.split('=') as [string, string]);
    const signature = pairs.find(([key]) => key === 'auth_signature')?.[1];
    expect(signHttpRequest(APP.secret, method, path, pairs)).toBe(signature);
  });

  it('covers the method in upper case, the path and the sorted query with keys in lower case', () => {
    const query: QueryPairs = [
      ['b', '2'],
      ['A', '1 &='],
      ['auth_signature', 'x'],
      ['AUTH_SIGNATURE', 'y'],
      ['c', ''],
    ];
    expect(httpSigningText('post', '/apps/3/a%20b', query)).toBe('POST\n/apps/3/a%20b\na=1 &=&b=2&c=');
  });

  it('covers every value of a repeated key, in the order received', () => {
    expect(
      httpSigningText('GET', '/', [
        ['k', '2'],
        ['a', '0'],
        ['K', '1'],
        ['k', '3'],
      ]),
    ).toBe('GET\n/\na=0&k=2&k=1&k=3');
  });

  it('covers nothing where there is no query', () => {
    expect(httpSigningText('GET', '/', [])).toBe('GET\n/\n');
  });
});

describe('The comparison of signatures', () => {
  it.each([
    ['', '', true],
    ['abc', 'abc', true],
    ['é', 'é', true],
    ['abc', 'abd', false],
    ['abc', 'ab', false],
    ['', 'a', false],
    ['é', 'ab', false],
    ['é', 'e\u0301', false],
  ])('of %j and %j answers %s', (a, b, expected) => {
    expect(equalsInConstantTime(a, b)).toBe(expected);
  });
});

describe('An HMAC', () => {
  const expected = (secret: string, text: string) => createHmac('sha256', secret).update(text).digest('hex');

  it.each(['', 'a', 'ä😀', '\ud800', 'x'.repeat(1_000), '__proto__'])(
    'with the secret %j is the standard one',
    (secret) => {
      for (const text of ['', 'first', 'second']) expect(hmacSha256Hex(secret, text)).toBe(expected(secret, text));
    },
  );

  it('follows its secret, with however many secrets in turns', () => {
    for (let n = 0; n < 25_000; n++) {
      const secret = `secret-${n % 12_000}`;
      if (n % 100 < 2) expect(hmacSha256Hex(secret, 'text')).toBe(expected(secret, 'text'));
      else hmacSha256Hex(secret, 'text');
    }
  });
});
