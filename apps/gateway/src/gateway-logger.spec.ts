import { Logger } from '@nestjs/common';
import { completeApp, RedisOptions } from '@pogo/hub';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GatewayLogger } from './gateway-logger.js';

const SECRET = 's3cr3t/of+the=app';
const ODD_SECRET = 'a"quote\\and back';
const SIGNATURE = '58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4';
const APPS = [
  completeApp({ id: '1', key: 'key-1', secret: SECRET }),
  completeApp({ id: '2', key: 'key-2', secret: ODD_SECRET }),
];

let output = '';
beforeEach(() => {
  output = '';
  const capture = (text: string | Uint8Array) => {
    output += String(text);
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(capture);
  vi.spyOn(process.stderr, 'write').mockImplementation(capture);
});
afterEach(() => vi.restoreAllMocks());

const loggerOf = (format: 'json' | 'pretty', level: 'error' | 'warn' | 'info' | 'debug' = 'debug') =>
  new GatewayLogger({ log: { level, format }, apps: APPS });

describe.each(['json', 'pretty'] as const)('What is logged (%s)', (format) => {
  it('is there, with its context', () => {
    loggerOf(format).log('listening on port 8080', 'Gateway');
    expect(output).toContain('listening on port 8080');
    expect(output).toContain('Gateway');
  });

  it.each<[what: string, message: unknown, kept: string]>([
    ['a secret in a sentence', `before ${SECRET} after`, 'after'],
    ['the secret of another app', `before ${ODD_SECRET} after`, 'after'],
    ['a secret twice', `${SECRET} and ${SECRET} again`, 'again'],
    ['a secret in an object', { app: { id: 'app-7', secret: SECRET } }, 'app-7'],
    ['a secret with signs that JSON escapes, in an object', { app: { id: 'app-7', secret: ODD_SECRET } }, 'app-7'],
    ['a secret in an error', new Error(`boom with ${SECRET}`), 'boom'],
    ['a secret in the cause of an error', new Error('boom', { cause: new Error(SECRET) }), 'boom'],
    ['a signed URL', `GET /apps/1/channels?auth_key=key-1&auth_signature=${SIGNATURE}&info=x`, 'info=x'],
    ['the query of a signed request', { query: { auth_signature: SIGNATURE, info: 'kept' } }, 'kept'],
    ['the signature of a subscription', { channel: 'private-a', auth: `key-1:${SIGNATURE}` }, 'private-a'],
    [
      'a message of a client',
      `{"event":"pusher:subscribe","data":{"auth":"key-1:${SIGNATURE}","channel":"c"}}`,
      'event',
    ],
    ['a message of a client in an object', { raw: `{"data":{"auth":"key-1:${SIGNATURE}","channel":"c"}}` }, ''],
    ['an Authorization header', `Authorization: Bearer ${SIGNATURE}`, 'Authorization'],
    [
      'an Authorization header in an object',
      { headers: { authorization: `Bearer ${SIGNATURE}`, host: 'kept' } },
      'kept',
    ],
    ['a Cookie header', `cookie: a=1; session=${SIGNATURE}`, 'cookie'],
    ['a Cookie header with a value in quotes', `Cookie: a="1"; session=${SIGNATURE}`, 'Cookie'],
    ['a Cookie header in an object', { headers: { cookie: `session=${SIGNATURE}`, host: 'kept' } }, 'kept'],
    ['cookies that are set', { headers: { 'set-cookie': [`session=${SIGNATURE}`] } }, ''],
    ['raw headers', { rawHeaders: ['Host', 'kept', 'Authorization', `Bearer ${SIGNATURE}`, 'Cookie', SIGNATURE] }, ''],
    ['a Proxy-Authorization header', `Proxy-Authorization: Basic ${SIGNATURE}`, 'Proxy-Authorization'],
    ['a message made up when it is printed', () => `before ${SECRET} after`, ''],
  ])('never holds %s', (_what, message, kept) => {
    const logger = loggerOf(format);
    logger.log(message, 'Context');
    logger.error(message, 'Error: boom\n    at file.ts:1', 'Context');
    logger.warn(message);
    logger.debug(message);
    for (const secret of [SECRET, ODD_SECRET, ODD_SECRET.slice(0, 8), 'and back', SIGNATURE]) {
      expect(output).not.toContain(secret);
    }
    expect(output).toContain(kept);
    expect(output).not.toBe('');
  });

  it('never holds a secret of a stack trace or of a further message', () => {
    const logger = loggerOf(format);
    logger.error('failed', `Error: ${SECRET}\n    at file.ts:1`, 'Context');
    logger.log('first', { secret: SECRET }, `auth_signature=${SIGNATURE}`, 'Context');
    expect(output).toContain('failed');
    expect(output).not.toContain(SECRET);
    expect(output).not.toContain(SIGNATURE);
  });

  it.each<[what: string, error: unknown]>([
    ['a sentence', 'a sentence'],
    ['an Error', new Error('a sentence')],
    ['an object', { text: 'a sentence' }],
  ])('is there when it is an error without a stack trace: %s', (_what, error) => {
    loggerOf(format).error(error);
    loggerOf(format).fatal(error);
    expect(output.split('a sentence').length).toBeGreaterThan(2);
  });

  it('survives what cannot be written as JSON, and shows nothing of it', () => {
    const circular: Record<string, unknown> = { secret: SECRET };
    circular['self'] = circular;
    loggerOf(format).log(circular, 'Context');
    loggerOf(format).log({ secret: SECRET, big: 1n }, 'Context');
    expect(output).toContain('Context');
    expect(output).not.toContain(SECRET);
  });

  it('says nothing below its level', () => {
    const logger = loggerOf(format, 'warn');
    logger.log('too quiet');
    logger.debug('much too quiet');
    logger.warn('loud');
    logger.error('louder', 'Error: boom\n    at file.ts:1');
    logger.fatal('loudest');
    expect(output).not.toContain('quiet');
    for (const heard of ['loud', 'louder', 'loudest']) expect(output).toContain(heard);
  });
});

describe('A log in JSON', () => {
  it('is one object a line, whatever is logged', () => {
    const logger = loggerOf('json');
    logger.log('two\nlines', 'Context');
    logger.error(new Error('boom'), 'Error: boom\n    at file.ts:1', 'Context');
    logger.warn({ auth: `key-1:${SIGNATURE}`, at: 7 }, 'Context');
    const lines = output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toMatchObject([
      { level: 'log', message: 'two\nlines', context: 'Context' },
      { level: 'error', context: 'Context' },
      { level: 'warn', message: { auth: '<redacted>', at: 7 } },
    ]);
  });
});

describe('The logger of every class', () => {
  it('is cleaned as well, once the gateway has set it', () => {
    Logger.overrideLogger(loggerOf('json'));
    new Logger('SomeService').warn(new Error(`no ${SECRET}`));
    Logger.overrideLogger(false);
    expect(output).toContain('SomeService');
    expect(output).not.toContain(SECRET);
  });
});

it('Other secrets of the configuration are never logged, either', () => {
  const redis = new RedisOptions({ host: 'redis', password: 'redis-pa55' });
  const commands = { secret: 'c0mmand-secret', port: undefined };
  const logger = new GatewayLogger({ log: { level: 'debug', format: 'json' }, apps: APPS, redis, commands });
  logger.error('AUTH redis-pa55 was refused', 'Redis');
  logger.log({ sentence: 'signed with c0mmand-secret' });
  expect(output).toContain('was refused');
  expect(output).not.toMatch(/redis-pa55|c0mmand-secret/);
});
