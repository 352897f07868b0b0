import { randomFillSync } from 'node:crypto';

const SOCKET_ID = /^\d+\.\d+$/;
/** Two 52-bit numbers are at most 33 characters; anything longer is no id of ours. */
const MAX_LENGTH = 64;

const pool = Buffer.allocUnsafe(4096);
let used = pool.length;

/** A new socket id, `digits.digits`, unpredictable and unique in the cluster (104 random bits). */
export function createSocketId(): string {
  if (used + 14 > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return `${take52Bits()}.${take52Bits()}`;
}

/** True for what can be a socket id of any Pusher server. */
export function isSocketId(text: string): boolean {
  return text.length <= MAX_LENGTH && SOCKET_ID.test(text);
}

function take52Bits(): number {
  const high = pool.readUInt32LE(used) & 0xfffff;
  const low = pool.readUIntLE(used + 3, 4);
  pool.fill(0, used, used + 7);
  used += 7;
  return high * 0x1_0000_0000 + low;
}
