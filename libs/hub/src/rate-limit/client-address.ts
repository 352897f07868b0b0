import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

/** `1.2.3.4:5678` and `[::1]:5678`, as some proxies write hops. */
const WITH_PORT = /^(?:\[([^\]]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d+)?$/;

/** Which peers are proxies of ours, so that what they say about the client counts. */
export class TrustedProxies {
  private readonly ranges: readonly Range[];

  /** @throws TypeError naming the entry that is neither an IP address nor a CIDR. */
  constructor(entries: readonly string[]) {
    this.ranges = entries.map(parseRange);
  }

  /**
   * The client's IP: the rightmost hop of X-Forwarded-For that is no trusted proxy, where the peer itself is one. Without
   * proxies the header is ignored, because anybody can send it. Undefined for a peer without an IP, as on a Unix socket,
   * whose X-Forwarded-For is believed: who may open it is this machine's business.
   * @param peer address of the socket's other end.
   * @param forwardedFor the header, its lines joined by commas.
   */
  clientOf(peer: string | undefined, forwardedFor: string | undefined): string | undefined {
    if (forwardedFor === undefined || (this.ranges.length === 0 && peer !== undefined)) return peer;
    let client = peer;
    let end = forwardedFor.length;
    while (client === undefined || this.isTrusted(client)) {
      if (end < 0) return client;
      const start = forwardedFor.lastIndexOf(',', end - 1);
      const hop = addressIn(forwardedFor.slice(start + 1, end).trim());
      // A proxy that hides or garbles where a request came from answers for it itself.
      if (hop === undefined) return client;
      client = hop;
      end = start === -1 ? -1 : start;
    }
    return client;
  }

  private isTrusted(address: string): boolean {
    const parsed = parse(address);
    return parsed !== undefined && this.ranges.some((range) => isWithin(parsed, range));
  }
}

/**
 * Who shares a budget: an IPv4 address, or the /64 of an IPv6 address, of which one client has as many as it likes. The
 * text is a name for a table, not an address.
 */
export function addressBlock(address: string): string {
  // Nearly all of them, and parsing takes a microsecond.
  if (!address.includes(':')) return address;
  const parsed = parse(address);
  if (parsed === undefined) return address;
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : parsed.toString();
}

function parseRange(entry: string): Range {
  try {
    if (isAddress(entry)) {
      const address = ipaddr.process(entry);
      return [address, address.kind() === 'ipv4' ? 32 : 128];
    }
    const slash = entry.indexOf('/');
    if (slash === -1 || !isAddress(entry.slice(0, slash))) throw new Error('no address');
    return ipaddr.parseCIDR(entry);
  } catch {
    throw new TypeError(`${JSON.stringify(entry)} is no IP address and no CIDR such as 10.0.0.0/8`);
  }
}

/** Without the short and octal forms of IPv4, which programs read differently. */
function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}

/** An IPv4 address that came over an IPv6 socket (`::ffff:1.2.3.4`) is an IPv4 address. */
function parse(address: string): Address | undefined {
  return isAddress(address) ? ipaddr.process(address) : undefined;
}

function isWithin(address: Address, [range, bits]: Range): boolean {
  if (address instanceof ipaddr.IPv4) return range instanceof ipaddr.IPv4 && address.match(range, bits);
  return range instanceof ipaddr.IPv6 && address.match(range, bits);
}

function addressIn(hop: string): string | undefined {
  if (isAddress(hop)) return hop;
  const [, inBrackets, withPort] = WITH_PORT.exec(hop) ?? [];
  const address = inBrackets ?? withPort;
  return address !== undefined && isAddress(address) ? address : undefined;
}
