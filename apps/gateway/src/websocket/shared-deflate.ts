import type { IncomingMessage } from 'node:http';

const FULL_WINDOW_BITS = 15;
const HEADER = 'sec-websocket-extensions';

/**
 * Terms of permessage-deflate (RFC 7692) under which deflated frames can be made once and shared: none refers to an
 * earlier one, and each may refer back as far as the full window. Clients are told to forget as well, so that no window
 * is kept for them between two messages; what a message inflates to is bounded by `maxPayload`.
 */
export const SHARED_DEFLATE = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: FULL_WINDOW_BITS,
};

/** Takes away offers of a smaller window. A client that offers nothing else is served plain; `ws` would refuse it. */
export function declineSmallWindows({ headers }: IncomingMessage): void {
  const offers = headers[HEADER]?.split(',');
  if (offers === undefined) return;
  const acceptable = offers.filter((offer) => windowBits(offer) >= FULL_WINDOW_BITS);
  if (acceptable.length > 0) headers[HEADER] = acceptable.join(',').trim();
  else Reflect.deleteProperty(headers, HEADER);
}

function windowBits(offer: string): number {
  const bits = /;\s*server_max_window_bits\s*=\s*"?(\d+)"?/i.exec(offer)?.[1];
  return bits === undefined ? FULL_WINDOW_BITS : Number(bits);
}
