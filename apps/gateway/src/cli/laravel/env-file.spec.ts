import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EnvFile } from './env-file.js';
import { PlannedFile } from './planned-file.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pogo-env-'));
});
afterEach(() => rm(dir, { recursive: true }));

describe('A name that a .env has twice', () => {
  it('is read and set where it counts: Laravel takes the last one', async () => {
    await writeFile(join(dir, '.env'), 'BROADCAST_CONNECTION=log\nBROADCAST_CONNECTION=pusher # since May\n');
    const file = await PlannedFile.open(dir, '.env');
    const lines = new EnvFile(file);
    expect(lines.get('BROADCAST_CONNECTION')).toBe('pusher');
    lines.set('BROADCAST_CONNECTION', 'reverb');
    lines.save();
    await file.write();
    expect(await readFile(join(dir, '.env'), 'utf8')).toBe('BROADCAST_CONNECTION=log\nBROADCAST_CONNECTION=reverb\n');
  });
});

describe('A line of a .env', () => {
  it('keeps its end where some have one of Windows, and others not', async () => {
    await writeFile(join(dir, '.env'), 'A=1\nB=2\r\nC=3\r\nD=4\nE=5');
    const file = await PlannedFile.open(dir, '.env');
    const lines = new EnvFile(file);
    lines.set('A', 'x');
    lines.set('C', 'y');
    lines.set('NEW', 'z');
    lines.save();
    expect([lines.get('B'), lines.get('D')]).toEqual(['2', '4']);
    expect(file.text).toBe('A=x\nB=2\r\nC=y\r\nD=4\nE=5\r\n\r\nNEW=z\r\n');
  });

  it('has a value in quotes that ends with the first of them, whatever is quoted in a comment', async () => {
    await writeFile(join(dir, '.env'), 'BROADCAST_CONNECTION="log" # was "pusher"\n');
    expect(new EnvFile(await PlannedFile.open(dir, '.env')).get('BROADCAST_CONNECTION')).toBe('log');
  });
});
