import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

/** In front of an IPv4 address that is written as an IPv6 address. */
const MAPPED_BITS = 96;

/** `1.2.3.4:5678` and `[::1]:5678`, as some proxies write hops. */
const WITH_PORT = /^(?:\[([^\]]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d+)?$/;

/** The other end of a connection, as a Node socket has it. */
export interface Peer {
  readonly remoteAddress?: string | undefined;
}

/** Instead of an address. */
const GONE = 'gone';

/** Which peers are proxies of ours, so that what they say about the client counts. */
export class TrustedProxies {
  private readonly ranges: readonly Range[];
  private readonly local = new WeakSet();

  /** @throws TypeError naming the entry that is neither an IP address nor a CIDR. */
  constructor(entries: readonly string[]) {
    this.ranges = entries.map(parseRange);
  }

  /** Nobody is believed. */
  get isEmpty(): boolean {
    return this.ranges.length === 0;
  }

  /** A connection of this machine that has no address, on a Unix socket: what it says of its client is believed. */
  addLocal(socket: object): void {
    this.local.add(socket);
  }

  /**
   * The client's IP: the rightmost hop of X-Forwarded-For that is no trusted proxy, where the peer itself is one. Without
   * proxies the header is ignored, because anybody can send it. Undefined on a Unix socket without the header. A peer
   * that is gone already has no address any more: all of those are one client, whatever their headers say.
   * @param forwardedFor the header, its lines joined by commas.
   * @param remoteAddress the peer's, from who has read it while it was there.
   */
  clientOf(peer: Peer, forwardedFor: string | undefined, remoteAddress = peer.remoteAddress): string | undefined {
    const isLocal = this.local.has(peer);
    if (remoteAddress === undefined && !isLocal) return GONE;
    if (forwardedFor === undefined || (this.ranges.length === 0 && !isLocal)) return remoteAddress;
    let client = remoteAddress;
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
    const [address, bits] = ipaddr.parseCIDR(entry);
    // As peers are read: an IPv4 address that came over an IPv6 socket is an IPv4 address.
    if (!(address instanceof ipaddr.IPv6) || !address.isIPv4MappedAddress()) return [address, bits];
    if (bits < MAPPED_BITS) throw new Error('more than IPv4 addresses');
    return [address.toIPv4Address(), bits - MAPPED_BITS];
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
