import tls from 'node:tls';

/**
 * Lets every TLS client of this process trust `certificates` as well: fetch, ws, pusher-js and the server library, which
 * otherwise need NODE_EXTRA_CA_CERTS from the start. They verify as always.
 * @returns how to take it back.
 */
export function trust(...certificates: readonly string[]): () => void {
  const { createSecureContext } = tls;
  tls.createSecureContext = (options = {}) => {
    // Who brings authorities, or a certificate of its own as servers do, knows what it wants.
    if (options.ca !== undefined || options.cert !== undefined) return createSecureContext(options);
    return createSecureContext({ ...options, ca: [...tls.rootCertificates, ...certificates] });
  };
  return () => {
    tls.createSecureContext = createSecureContext;
  };
}
