import { chmod, chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EnvFile } from './env-file.js';
import { PlannedFile } from './planned-file.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pogo-planned-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function env(text: string): Promise<[PlannedFile, EnvFile]> {
  await writeFile(join(dir, '.env'), text);
  const file = await PlannedFile.open(dir, '.env');
  return [file, new EnvFile(file)];
}

describe('The difference of a .env', () => {
  it('shows no secret, whatever it is called: a new one, or a last line that has got its newline', async () => {
    const [file, lines] = await env(
      'export REVERB_APP_SECRET=old-secret\nREVERB_HOST=old.example\nKEY="-----BEGIN\nmulti-secret\n#STRIPE_KEY=sk_secret',
    );
    lines.set('REVERB_APP_SECRET', 'new-secret');
    lines.set('REVERB_HOST', 'new.example');
    lines.set('REVERB_APP_KEY', 'public');
    lines.save();
    const diff = file.diff();
    expect(diff).not.toMatch(/old-secret|new-secret|multi-secret|sk_secret|=====/);
    for (const line of [
      '--- .env',
      '+++ .env',
      '-export REVERB_APP_SECRET=<redacted>',
      '+export REVERB_APP_SECRET=<redacted>',
      '-REVERB_HOST=old.example',
      '+REVERB_HOST=new.example',
      '+REVERB_APP_KEY=public',
    ]) {
      expect(diff.split('\n')).toContain(line);
    }
  });
});

describe('A file that is written', () => {
  it.each(['latin1', 'utf8'] as const)('keeps the bytes that are there (%s)', async (encoding) => {
    const bytes = Buffer.from('NAME="Müller"\n', encoding);
    await writeFile(join(dir, '.env'), bytes);
    const file = await PlannedFile.open(dir, '.env');
    file.text += 'A=2\n';
    await file.write();
    expect(await readFile(join(dir, '.env'))).toEqual(Buffer.concat([bytes, Buffer.from('A=2\n')]));
  });

  it.skipIf(process.getuid?.() !== 0)('keeps its owner and group, who may be the web server', async () => {
    await env('A=1\n');
    await chown(join(dir, '.env'), 12_345, 23_456);
    await chmod(join(dir, '.env'), 0o640);
    const file = await PlannedFile.open(dir, '.env');
    file.text = 'A=2\n';
    await file.write();
    const { uid, gid, mode } = await stat(join(dir, '.env'));
    expect([uid, gid, mode & 0o777]).toEqual([12_345, 23_456, 0o640]);
  });
});
