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
