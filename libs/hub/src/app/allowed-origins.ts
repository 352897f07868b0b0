/** Which web pages may connect. Browsers send `Origin`; a missing header (servers, apps) is always allowed. */
export interface AllowedOrigins {
  /** True when `origin` (the header's value, or undefined) may connect. */
  allows(origin: string | undefined): boolean;
}

export const ANY_ORIGIN: AllowedOrigins = { allows: () => true };

/** `http(s)://host[:port]` compares everything; a bare host any scheme, and any port unless it names one. */
const ENTRY = /^(?:(https?):\/\/)?(\*\.)?([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/;

const DEFAULT_PORT: Record<string, string> = { http: '80', https: '443' };

interface Pattern {
  readonly scheme: string | undefined;
  readonly anySubdomain: boolean;
  readonly host: string;
  readonly port: string | undefined;
}

/**
 * Parses `*`, `http(s)://host[:port]`, `host[:port]` and `*.example.com` (subdomains only, not the bare domain).
 * @throws TypeError naming the entry that is none of these.
 */
export function parseAllowedOrigins(entries: readonly string[]): AllowedOrigins {
  if (entries.length === 0 || entries.includes('*')) return ANY_ORIGIN;
  return new OriginPatterns(entries.map(parseEntry));
}

/** A value: two of the same patterns are deeply equal. */
class OriginPatterns implements AllowedOrigins {
  constructor(private readonly patterns: readonly Pattern[]) {}

  allows(origin: string | undefined): boolean {
    if (origin === undefined) return true;
    const parsed = ENTRY.exec(origin.toLowerCase());
    const scheme = parsed?.[1];
    const host = parsed?.[3];
    // "null" (sandboxed frames, file:) and anything that is no http origin match no pattern.
    if (scheme === undefined || host === undefined || parsed?.[2] !== undefined) return false;
    const port = parsed?.[4] ?? DEFAULT_PORT[scheme];
    return this.patterns.some((pattern) => matches(pattern, scheme, host, port));
  }
}

function parseEntry(entry: string): Pattern {
  const parsed = ENTRY.exec(entry.trim().toLowerCase());
  const [, scheme, wildcard, host, port] = parsed ?? [];
  if (host === undefined || (port !== undefined && Number(port) > 65_535)) {
    throw new TypeError(
      `${JSON.stringify(entry)} is not an origin: use *, http(s)://host[:port], host[:port] or *.example.com`,
    );
  }
  return {
    scheme,
    anySubdomain: wildcard !== undefined,
    host,
    port: port ?? (scheme === undefined ? undefined : DEFAULT_PORT[scheme]),
  };
}

function matches(pattern: Pattern, scheme: string, host: string, port: string | undefined): boolean {
  if (pattern.scheme !== undefined && pattern.scheme !== scheme) return false;
  if (pattern.port !== undefined && pattern.port !== port) return false;
  return pattern.anySubdomain ? host.endsWith(`.${pattern.host}`) : host === pattern.host;
}
