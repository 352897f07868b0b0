import type { GatewayConfig } from './config/gateway-config.js';
import type { Environment } from './config/load-config.js';

const LOCAL_HOSTS = new Set(['localhost', '127.0.0.1', '::1', '[::1]', '0.0.0.0']);

/**
 * What people get wrong most, as far as this process can see: a sentence for each, and none when all fits together. The
 * environment tells when it is that of a Laravel application, whose `.env` the server may share.
 * @param port that the server listens on.
 */
export function diagnose(config: GatewayConfig, port: number, variables: Environment): string[] {
  // An empty one is how a shell or a compose file says "not set".
  const environment: Environment = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''));
  const scheme = environment['REVERB_SCHEME'];
  const publicScheme = environment['VITE_REVERB_SCHEME'] ?? scheme;
  const isPlain = config.tls === undefined;
  const isLocal = LOCAL_HOSTS.has(environment['REVERB_HOST'] ?? '');
  const found: string[] = [];
  if (isHttps(environment['APP_URL']) && publicScheme === 'http') {
    found.push(
      'APP_URL is https but REVERB_SCHEME is http: browsers refuse ws:// on a page that came over https. Set REVERB_SCHEME=https and REVERB_PORT=443 with TLS here or at a proxy (docs/tls.md)',
    );
  }
  if (isPlain && isLocal && scheme === 'https') {
    found.push(
      `REVERB_SCHEME is https but this server, which REVERB_HOST names, speaks plain http on port ${port}: set tls_cert and tls_key, or let REVERB_HOST and REVERB_PORT name the proxy with TLS (docs/tls.md)`,
    );
  }
  if (!isPlain && scheme === 'http') {
    found.push('REVERB_SCHEME is http but this server serves https: set REVERB_SCHEME=https');
  }
  const reverbPort = environment['REVERB_PORT'];
  if (isLocal && reverbPort !== undefined && reverbPort !== String(port)) {
    found.push(
      `REVERB_PORT is ${reverbPort} but this server listens on ${port}: Laravel publishes to a port where nobody is. REVERB_SERVER_PORT or POGO_WS_PORT is where it listens, REVERB_PORT where clients and Laravel connect`,
    );
  }
  if (
    isPlain &&
    !isLocal &&
    publicScheme === 'https' &&
    config.trustedProxies.isEmpty &&
    config.unixSocket === undefined
  ) {
    found.push(
      'REVERB_SCHEME is https, so a proxy ends TLS, but trusted_proxies names none: all clients count as one address and the handshake throttle will refuse them (docs/proxy.md)',
    );
  }
  if (config.pathPrefix !== '' && reverbPort !== undefined && environment['REVERB_SERVER_PATH'] === undefined) {
    found.push(
      `everything is served under ${config.pathPrefix}: clients need wsPath: '${config.pathPrefix}', and Laravel needs 'path' => '${config.pathPrefix}' in the options of its reverb connection`,
    );
  }
  for (const { authEndpoint, id } of config.apps) {
    if (
      authEndpoint !== undefined &&
      isHttps(environment['APP_URL']) &&
      authEndpoint.startsWith('http://') &&
      !isOfThisMachine(authEndpoint)
    ) {
      found.push(
        `auth_endpoint of app ${id} is http while the application is https: cookies would travel in the clear, and a redirect to https is not followed`,
      );
    }
  }
  return found;
}

function isHttps(url: string | undefined): boolean {
  return url?.toLowerCase().startsWith('https://') ?? false;
}

function isOfThisMachine(url: string): boolean {
  return LOCAL_HOSTS.has(new URL(url).hostname);
}
