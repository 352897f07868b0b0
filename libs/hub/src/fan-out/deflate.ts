import { constants, deflateRawSync } from 'node:zlib';
import { Frames } from './frame.js';

/** Below it deflating costs more than it saves; `ws` and browsers take both kinds in any order. */
const MIN_BYTES = 256;
/** What Z_SYNC_FLUSH ends with and RFC 7692 section 7.2.1 leaves out. */
const TAIL_BYTES = 4;

/**
 * The payloads as frames for sockets with permessage-deflate, each deflated by itself, so that all recipients can share
 * them: that needs `server_no_context_takeover` and the full window, or a client would inflate another message's words.
 */
export function deflated(payloads: readonly Uint8Array[]): Frames {
  const shorter = payloads.map((payload) => {
    if (payload.length < MIN_BYTES) return undefined;
    const bytes = deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH });
    return bytes.length - TAIL_BYTES < payload.length ? bytes.subarray(0, -TAIL_BYTES) : undefined;
  });
  return Frames.ofDeflated(
    payloads.map((payload, index) => shorter[index] ?? payload),
    (index) => shorter[index] !== undefined,
  );
}
