import { randomFillSync } from 'node:crypto';

const SOCKET_ID = /^\d+\.\d+$/;
/** Two 52-bit numbers are at most 33 characters; anything longer is no id of ours. */
const MAX_LENGTH = 64;

const pool = new Uint32Array(1_024);
let used = pool.length;
const scratch = Buffer.alloc(MAX_LENGTH);

/** A new socket id, `digits.digits`, unpredictable and unique in the cluster (104 random bits). */
export function createSocketId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  // Copied, because a string that was put together keeps its parts: 128 bytes per connection instead of 48.
  const length = scratch.write(`${take52Bits()}.${take52Bits()}`, 'latin1');
  return scratch.toString('latin1', 0, length);
}

/** True for what can be a socket id of any Pusher server. */
export function isSocketId(text: string): boolean {
  return text.length <= MAX_LENGTH && SOCKET_ID.test(text);
}

function take52Bits(): number {
  const high = takeWord() & 0xfffff;
  return high * 0x1_0000_0000 + takeWord();
}

/** 32 random bits, which stay nowhere else. */
function takeWord(): number {
  const word = pool[used] as number;
  pool[used++] = 0;
  return word;
}
