import type { GatewayConfig } from './config/gateway-config.js';

/**
 * What a newcomer pastes into a page and into a Laravel application. It shows the secret of a development app, so it is
 * for a terminal only and never for a log.
 */
export function welcome(config: GatewayConfig, port: number): string {
  const [app] = config.apps;
  if (app === undefined) return '';
  const host = reachableHost(config);
  const [http, isTls] = config.tls === undefined ? ['http', false] : ['https', true];
  const secret = config.isDevelopmentApp ? app.secret : '<your app secret>';
  const wsPath = config.pathPrefix === '' ? '' : `\n    wsPath: '${config.pathPrefix}',`;
  const serverPath = config.pathPrefix === '' ? '' : `\n  REVERB_SERVER_PATH=${config.pathPrefix}`;
  const laravelPath = `
  config/broadcasting.php, connections.reverb.options (Laravel publishes without a path otherwise):
    'path' => env('REVERB_SERVER_PATH'),
`;
  return `
  Pogo Gateway is listening.

  WebSocket  ${webSocketUrl(config, port)}
  HTTP API   ${http}://${host}:${port}${config.pathPrefix}/apps/${app.id}

  pusher-js
  ---------
  const pusher = new Pusher('${app.key}', {
    cluster: '',
    wsHost: '${host}',
    ${isTls ? 'wssPort' : 'wsPort'}: ${port},${wsPath}
    forceTLS: ${isTls},
    enabledTransports: ['ws', 'wss'],
  });

  Laravel .env
  ------------
  BROADCAST_CONNECTION=reverb
  REVERB_APP_ID=${app.id}
  REVERB_APP_KEY=${app.key}
  REVERB_APP_SECRET=${secret}
  REVERB_HOST=${host}
  REVERB_PORT=${port}
  REVERB_SCHEME=${http}${serverPath}
  VITE_REVERB_APP_KEY="\${REVERB_APP_KEY}"
  VITE_REVERB_HOST="\${REVERB_HOST}"
  VITE_REVERB_PORT="\${REVERB_PORT}"
  VITE_REVERB_SCHEME="\${REVERB_SCHEME}"
${config.pathPrefix === '' ? '' : laravelPath}${config.isDevelopmentApp ? '\n  No app is configured: this one is for development, its secret is new at every start.\n' : ''}`;
}

/** Where clients of the first app connect. */
export function webSocketUrl(config: GatewayConfig, port: number): string {
  return `${config.tls === undefined ? 'ws' : 'wss'}://${reachableHost(config)}:${port}${config.pathPrefix}/app/${config.apps[0]?.key ?? '{key}'}`;
}

/** A name under which clients reach the server, as URLs write it. With TLS it must be one that the certificate has. */
function reachableHost({ host, tls }: GatewayConfig): string {
  const own = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  const names = tls?.names.filter((name) => !name.includes('*')) ?? [];
  const name = names.includes(own) ? own : (names[0] ?? own);
  return name.includes(':') ? `[${name}]` : name;
}
