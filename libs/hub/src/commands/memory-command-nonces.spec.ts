import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../unavailable-error.js';
import { MemoryCommandNonces } from './memory-command-nonces.js';

const TTL = 1_000;

describe('MemoryCommandNonces', () => {
  it('forgets nonces only when their time is over, however long they have to be kept', async () => {
    let now = 0;
    const nonces = new MemoryCommandNonces(() => now);
    const claimedAt: number[] = [];
    for (; now < 10 * TTL; now += 100) {
      expect(await nonces.claim(`nonce-${now}`, TTL)).toBe(true);
      claimedAt.push(now);
      for (const at of claimedAt) if (now - at < TTL) expect(await nonces.claim(`nonce-${at}`, TTL)).toBe(false);
    }
  });

  it('refuses when it is full, rather than forget, and has room again when time has passed', async () => {
    let now = 0;
    const nonces = new MemoryCommandNonces(() => now, 3);
    for (const nonce of ['a', 'b', 'c']) expect(await nonces.claim(nonce, TTL)).toBe(true);
    await expect(nonces.claim('d', TTL)).rejects.toThrow(UnavailableError);
    expect(await nonces.claim('a', TTL)).toBe(false);
    now += TTL;
    for (const nonce of ['a', 'd', 'e']) expect(await nonces.claim(nonce, TTL)).toBe(true);
  });
});
