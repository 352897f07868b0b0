/** What is kept of a client's handshake for as long as it is connected. */
export interface Handshake {
  /** The client's IP behind trusted proxies; undefined on a Unix socket that names none. */
  readonly clientIp: string | undefined;
  /** Headers that an {@link AuthProvider} needs, by their lower-case name; repeated ones joined as Node does. */
  readonly headers: Readonly<Record<string, string>>;
  /** Query parameters that an {@link AuthProvider} needs, decoded; of repeated ones the first. */
  readonly query: Readonly<Record<string, string>>;
}

/** What an {@link AuthProvider} wants kept of each handshake. Everything else is forgotten: it costs memory and may be secret. */
export interface HandshakeNeeds {
  /** Names of headers, in lower case. */
  readonly headers?: readonly string[];
  /** Names of query parameters. */
  readonly query?: readonly string[];
}

/** Shared by the connections that keep nothing: most of them. */
export const NO_HANDSHAKE: Handshake = { clientIp: undefined, headers: {}, query: {} };

export const NO_NEEDS: HandshakeNeeds = {};
