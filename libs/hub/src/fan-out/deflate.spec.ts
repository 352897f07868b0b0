import { randomBytes } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../connection.js';
import { FakeSocket } from '../testing/hub-harness.js';
import { Batch } from './batch.js';

const RSV1 = 0x40;
const large = (letter: string) => Buffer.from(`{"event":"${letter}","data":"${letter.repeat(1_000)}"}`);
const small = Buffer.from('{"event":"small"}');
/** Deflating it gains nothing. */
const noise = randomBytes(300);

function recipient(takesDeflated: boolean): Connection {
  const socket = new FakeSocket();
  socket.takesDeflated = takesDeflated;
  return { socket } as unknown as Connection;
}

/** Header bits and payload of each frame. */
function framesIn(bytes: Buffer): { isDeflated: boolean; payload: Buffer }[] {
  const frames = [];
  for (let at = 0; at < bytes.length;) {
    const short = bytes.readUInt8(at + 1);
    const start = at + (short < 126 ? 2 : 4);
    const length = short < 126 ? short : bytes.readUInt16BE(at + 2);
    frames.push({ isDeflated: (bytes.readUInt8(at) & RSV1) !== 0, payload: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return frames;
}

const batchOf = (...payloads: Buffer[]) =>
  new Batch(
    0,
    payloads.map((payload) => ({ payload })),
  );

describe('deflated frames', () => {
  it('each inflate by themselves, whatever was sent before', () => {
    const payloads = [large('a'), large('a'), large('b')];
    const frames = framesIn(batchOf(...payloads).framesFor(recipient(true)).bytes);
    for (const [i, { isDeflated, payload }] of frames.entries()) {
      expect(isDeflated).toBe(true);
      expect(payload.length).toBeLessThan(200);
      const tail = Buffer.from([0, 0, 0xff, 0xff]);
      expect(inflateRawSync(Buffer.concat([payload, tail]), { finishFlush: 2 })).toEqual(payloads[i]);
    }
    expect(frames).toHaveLength(3);
  });

  it('leave plain what is small or does not get smaller', () => {
    const frames = framesIn(batchOf(small, large('a'), noise).framesFor(recipient(true)).bytes);
    expect(frames.map(({ isDeflated }) => isDeflated)).toEqual([false, true, false]);
    expect([frames[0]?.payload, frames[2]?.payload]).toEqual([small, noise]);
  });

  it('are made once for all who take them; the others get plain ones', () => {
    const batch = batchOf(large('a'));
    expect(batch.framesFor(recipient(true))).toBe(batch.framesFor(recipient(true)));
    expect(framesIn(batch.framesFor(recipient(false)).bytes)).toEqual([{ isDeflated: false, payload: large('a') }]);
  });
});
