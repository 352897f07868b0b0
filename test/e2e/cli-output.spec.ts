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
