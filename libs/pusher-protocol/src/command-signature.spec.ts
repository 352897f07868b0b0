import { describe, expect, it } from 'vitest';
import { createCommandNonce, parseSignedCommand, signCommand, verifyCommand } from './command-signature.js';

const SECRET = 'command-secret';
const COMMAND = {
  body: '{"app_id":"1","channel":"orders","event":"paid","data":"{\\"id\\":7}"}',
  timestamp: 1_700_000_000,
  nonce: 'AAAAAAAAAAAAAAAAAAAAAA',
};
/** printf 'pogo.publish\n1700000000\nAAAAAAAAAAAAAAAAAAAAAA\n%s' "$BODY" | openssl dgst -sha256 -hmac command-secret */
const SIGNATURE = '046de874c6ebd9bb1b6f6e7089c64b9487200a18c942b0022cbe547dfc5922b0';
const NOW = COMMAND.timestamp * 1_000;
const SIGNED = { ...COMMAND, signature: SIGNATURE };

describe('the signature of a command', () => {
  it('is the HMAC of pattern, time-stamp, nonce and body: a fixed vector', () => {
    expect(signCommand(SECRET, 'pogo.publish', COMMAND)).toEqual(SIGNED);
    expect(verifyCommand(SECRET, 'pogo.publish', SIGNED, NOW)).toBe('valid');
  });

  it.each([
    ['another secret', 'other', 'pogo.publish', SIGNED],
    ['another pattern', SECRET, 'pogo.publish_many', SIGNED],
    ['another time', SECRET, 'pogo.publish', { ...SIGNED, timestamp: COMMAND.timestamp + 1 }],
    ['another nonce', SECRET, 'pogo.publish', { ...SIGNED, nonce: 'AAAAAAAAAAAAAAAAAAAAAB' }],
    ['another body', SECRET, 'pogo.publish', { ...SIGNED, body: COMMAND.body.replace('7', '8') }],
    ['another signature', SECRET, 'pogo.publish', { ...SIGNED, signature: SIGNATURE.replace(/^0/, '1') }],
  ] as const)('is not valid for %s', (_what, secret, pattern, command) => {
    expect(verifyCommand(secret, pattern, command, NOW)).toBe('wrong_signature');
  });

  it.each([
    [-30_000, 'valid'],
    [30_000, 'valid'],
    [-30_001, 'wrong_time'],
    [30_001, 'wrong_time'],
  ])('is judged %i ms from its time-stamp as %s', (difference, verdict) => {
    expect(verifyCommand(SECRET, 'pogo.publish', SIGNED, NOW + difference)).toBe(verdict);
  });
});

describe('the shape of a command', () => {
  it('is taken over field by field', () => {
    expect(parseSignedCommand({ ...SIGNED, more: 1 })).toEqual(SIGNED);
  });

  it.each([
    undefined,
    null,
    7,
    'text',
    [],
    {},
    { ...SIGNED, body: { app_id: '1' } },
    { ...SIGNED, timestamp: '1700000000' },
    { ...SIGNED, timestamp: 1.5 },
    { ...SIGNED, timestamp: Number.NaN },
    { ...SIGNED, nonce: 'A'.repeat(21) },
    { ...SIGNED, nonce: 'A'.repeat(65) },
    { ...SIGNED, nonce: `${'A'.repeat(21)}\n` },
    { ...SIGNED, nonce: 7 },
    { ...SIGNED, signature: SIGNATURE.toUpperCase() },
    { ...SIGNED, signature: SIGNATURE.slice(1) },
    { ...SIGNED, signature: undefined },
  ])('is not that of %j', (value) => {
    expect(parseSignedCommand(value)).toBeUndefined();
  });
});

describe('a nonce', () => {
  it('has the shape that is asked for and is never the same', () => {
    const nonces = Array.from({ length: 100 }, createCommandNonce);
    expect(new Set(nonces).size).toBe(100);
    for (const nonce of nonces) expect(nonce).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });
});
