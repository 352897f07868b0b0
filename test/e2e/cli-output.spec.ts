import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { buildOnce } from '../support/build.js';
import { BIN, pogo } from '../support/cli.js';
import { START_TIMEOUT_MS } from '../support/gateway-process.js';
import { Running } from '../support/process.js';

describe('pogo --json', () => {
  it.each([
    [['publish', '--json'], "missing required argument 'channels'"],
    [['channels', '--json', '--prefx', 'a'], "unknown option '--prefx'\n(Did you mean --prefix?)"],
    [['publsh', '--json'], "unknown command 'publsh'\n(Did you mean publish?)"],
    [['config', '--json'], 'unknown option'],
    [['channels', '--json'], 'which app?'],
  ])('is one document for %j too, and nothing else', async (args, words) => {
    const { code, out, err } = await pogo(args);
    expect([code, JSON.parse(out), err]).toEqual([
      2,
      { ok: false, error: expect.stringContaining(words) as string },
      '',
    ]);
    expect(out).not.toContain('error: ');
  });
});

describe('pogo refuses, before it asks anybody,', () => {
  const env = { POGO_WS_APP_KEY: 'k', POGO_WS_APP_SECRET: 's' };
  it.each([
    [['terminate', ''], "'' is invalid for argument"],
    [['users', ''], "'' is invalid for argument"],
    [['publish', 'news', ''], "'' is invalid for argument"],
    [['sign', 'channel', '12', 'private-a'], '"12" is no socket id'],
    [['sign', 'channel', '1.2', 'private a'], '"private a" is no channel'],
    [['sign', 'channel', '1.2', 'news'], 'news is not signed'],
    [['sign', 'channel', '1.2', 'presence-a'], 'presence-a needs --data'],
    [['sign', 'channel', '1.2', 'presence-a', '--data', '{"user_info":{}}'], 'presence-a needs --data'],
    [['sign', 'channel', '1.2', 'private-encrypted-a', '--encryption-master-key', 'dG9vIHNob3J0'], 'has 9 bytes: 32'],
    [['sign', 'user', '1.2', '{id:1}'], 'with an id'],
    [['sign', 'user', '1.2', 'null'], 'with an id'],
  ])('%j', async (args, words) => {
    const { code, out, err } = await pogo(args, env);
    expect([code, out, err]).toEqual([2, '', expect.stringContaining(words)]);
  });

  it('nothing that can be signed', async () => {
    for (const args of [
      ['channel', '1.2', 'presence-cache-a', '--data', '{"user_id":7}'],
      ['user', '1.2', '{"id":7}'],
    ]) {
      expect(await pogo(['sign', ...args], env)).toMatchObject({ code: 0, err: '' });
    }
  });
});

describe('pogo, whose reader has gone', () => {
  it.each(['config print', 'config print --help'])(
    'says nothing about it: pogo %s | true',
    { timeout: START_TIMEOUT_MS },
    async (command) => {
      await buildOnce();
      const shell = new Running('bash', ['-c', `"${process.execPath}" "${BIN}" ${command} | true`], { cwd: tmpdir() });
      try {
        await shell.ending;
        expect(shell.output).toBe('');
      } finally {
        shell.cleanUp();
      }
    },
  );

  it('says in a sentence that the disk is full', { timeout: START_TIMEOUT_MS }, async () => {
    await buildOnce();
    const shell = new Running('bash', ['-c', `"${process.execPath}" "${BIN}" config print > /dev/full`], {
      cwd: tmpdir(),
    });
    try {
      expect(await shell.ending).toEqual({ code: 1, signal: null });
      expect(shell.output).toBe('the output cannot be written (ENOSPC)\n');
    } finally {
      shell.cleanUp();
    }
  });
});
