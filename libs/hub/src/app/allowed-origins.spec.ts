import { describe, expect, it } from 'vitest';
import { ANY_ORIGIN, parseAllowedOrigins } from './allowed-origins.js';

describe('Every origin may connect', () => {
  it.each([[[]], [['*']], [['https://a.example', '*']]])('when %j is allowed', (entries) => {
    const origins = parseAllowedOrigins(entries);
    for (const origin of ['https://a.example', 'http://localhost:3000', 'null', 'file://', '', undefined]) {
      expect(origins.allows(origin)).toBe(true);
    }
  });

  it('by default', () => {
    expect(ANY_ORIGIN.allows('https://evil.example')).toBe(true);
  });
});

describe('A client without an Origin header', () => {
  it('may connect, whatever is allowed', () => {
    expect(parseAllowedOrigins(['https://a.example']).allows(undefined)).toBe(true);
  });
});

describe('An entry with scheme and host', () => {
  it.each([
    ['https://a.example', 'https://a.example'],
    ['https://a.example', 'https://a.example:443'],
    ['https://a.example:443', 'https://a.example'],
    ['http://a.example', 'http://a.example:80'],
    ['http://a.example:8080', 'http://a.example:8080'],
    ['HTTPS://A.Example', 'https://a.example'],
    ['https://a.example', 'HTTPS://A.EXAMPLE'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
    ['http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
  ])('%s allows %s', (entry, origin) => {
    expect(parseAllowedOrigins([entry]).allows(origin)).toBe(true);
  });

  it.each([
    ['https://a.example', 'http://a.example'],
    ['https://a.example', 'https://a.example:8443'],
    ['http://a.example:8080', 'http://a.example'],
    ['https://a.example', 'https://www.a.example'],
    ['https://a.example', 'https://a.example.evil.com'],
    ['https://a.example', 'https://evil-a.example'],
    ['https://a.example', 'https://xa.example'],
    ['https://a.example', 'https://a.example@evil.com'],
    ['https://a.example', 'https://evil.com/https://a.example'],
    ['https://a.example', 'https://aXexample'],
    ['https://a.example', 'a.example'],
    ['https://a.example', 'null'],
    ['https://a.example', ''],
    ['https://a.example', 'wss://a.example'],
  ])('%s refuses %j', (entry, origin) => {
    expect(parseAllowedOrigins([entry]).allows(origin)).toBe(false);
  });
});

describe('An entry without a scheme', () => {
  it.each([
    ['a.example', 'https://a.example'],
    ['a.example', 'http://a.example'],
    ['a.example', 'https://a.example:8443'],
    ['a.example:3000', 'http://a.example:3000'],
    ['localhost', 'http://localhost:5173'],
    ['[::1]', 'http://[::1]:9'],
    ['a.example:443', 'https://a.example'],
    ['a.example:80', 'http://a.example'],
  ])('%s allows %s', (entry, origin) => {
    expect(parseAllowedOrigins([entry]).allows(origin)).toBe(true);
  });

  it.each([
    ['a.example:3000', 'http://a.example:3001'],
    ['a.example:3000', 'http://a.example'],
    ['a.example:443', 'http://a.example'],
    ['a.example', 'https://b.a.example'],
    ['a.example', 'https://aa.example'],
    ['a.example', 'null'],
    ['null', 'null'],
  ])('%s refuses %s', (entry, origin) => {
    expect(parseAllowedOrigins([entry]).allows(origin)).toBe(false);
  });
});

describe('A wildcard', () => {
  it.each([
    ['*.example.com', 'https://a.example.com'],
    ['*.example.com', 'http://a.b.example.com:81'],
    ['https://*.example.com', 'https://a.example.com'],
    ['*.example.com:81', 'http://a.example.com:81'],
  ])('%s allows %s', (entry, origin) => {
    expect(parseAllowedOrigins([entry]).allows(origin)).toBe(true);
  });

  it.each([
    ['*.example.com', 'https://example.com'],
    ['*.example.com', 'https://evilexample.com'],
    ['*.example.com', 'https://a.example.com.evil.com'],
    ['*.example.com', 'https://*.example.com'],
    ['https://*.example.com', 'http://a.example.com'],
    ['https://*.example.com', 'https://a.example.com:8443'],
    ['*.example.com:81', 'http://a.example.com'],
  ])('%s refuses %s', (entry, origin) => {
    expect(parseAllowedOrigins([entry]).allows(origin)).toBe(false);
  });
});

describe('Several entries', () => {
  it('allow what any of them allows', () => {
    const origins = parseAllowedOrigins(['https://a.example', ' b.example ']);
    expect(origins.allows('https://a.example')).toBe(true);
    expect(origins.allows('http://b.example:7')).toBe(true);
    expect(origins.allows('http://a.example')).toBe(false);
  });
});

describe('An entry that is none', () => {
  it.each([
    '',
    ' ',
    'a b',
    'ftp://a.example',
    'ws://a.example',
    'https://',
    'https://a.example/',
    'https://a.example/path',
    'https://a.example?x',
    'https://user@a.example',
    'a.example:',
    'a.example:port',
    'a.example:65536',
    'a.*.example',
    '*example.com',
    '**.example.com',
    '//a.example',
    'é.example',
  ])('%j is an error that names it and says what would be right', (entry) => {
    expect(() => parseAllowedOrigins(['https://ok.example', entry])).toThrow(TypeError);
    expect(() => parseAllowedOrigins([entry])).toThrow(
      `${JSON.stringify(entry)} is not an origin: use *, http(s)://host[:port], host[:port] or *.example.com`,
    );
  });
});
