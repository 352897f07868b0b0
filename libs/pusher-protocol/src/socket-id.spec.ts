import Pusher from 'pusher';
import { describe, expect, it } from 'vitest';
import { createSocketId, isSocketId } from './socket-id.js';

describe('A new socket id', () => {
  it('is two numbers with a dot between them', () => {
    for (let i = 0; i < 1_000; i++) expect(createSocketId()).toMatch(/^\d+\.\d+$/);
  });

  it('is accepted as one here and by the official server library, which signs nothing else', () => {
    const official = new Pusher({ appId: '1', key: 'k', secret: 's', cluster: 'mt1' });
    for (let i = 0; i < 1_000; i++) {
      const id = createSocketId();
      expect(isSocketId(id)).toBe(true);
      expect(official.authorizeChannel(id, 'private-a').auth).toMatch(/^k:[0-9a-f]{64}$/);
    }
  });

  it('is never given twice', () => {
    const ids = Array.from({ length: 20_000 }, createSocketId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('shares neither half with another one, so that nothing in it counts up', () => {
    const ids = Array.from({ length: 5_000 }, createSocketId);
    expect(new Set(ids.map((id) => id.split('.')[0])).size).toBe(ids.length);
    expect(new Set(ids.map((id) => id.split('.')[1])).size).toBe(ids.length);
  });

  it('uses the whole range of 52 bits in both halves', () => {
    const halves = Array.from({ length: 2_000 }, () => createSocketId().split('.').map(Number)).flat();
    expect(Math.max(...halves)).toBeGreaterThan(2 ** 51);
    expect(Math.max(...halves)).toBeLessThan(2 ** 52);
    expect(new Set(halves.map((half) => half % 16)).size).toBe(16);
  });
});

describe('A socket id', () => {
  it.each(['1.2', '0.0', '1234.1234', '123456789012345.1', '007.7', `${'1'.repeat(32)}.${'2'.repeat(31)}`])(
    'may be %s',
    (text) => {
      expect(isSocketId(text)).toBe(true);
    },
  );

  it.each([
    '',
    '.',
    '1',
    '1.',
    '.1',
    '1.2.3',
    '1,2',
    '-1.2',
    '1.-2',
    '+1.2',
    ' 1.2',
    '1.2 ',
    '1.2\n',
    '1.2:private-a',
    'a.b',
    '1.x',
    '1e3.2',
    '0x1.2',
    '١.٢',
    '１.２',
    '__proto__',
  ])('may not be %j', (text) => {
    expect(isSocketId(text)).toBe(false);
  });

  it('may not be longer than any server makes them', () => {
    expect(isSocketId(`${'1'.repeat(32)}.${'2'.repeat(32)}`)).toBe(false);
    expect(isSocketId(`1.${'2'.repeat(1_000_000)}`)).toBe(false);
  });
});
