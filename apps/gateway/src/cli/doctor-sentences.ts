import type { ApiAnswer } from './api-client.js';
import type { CliError } from './context.js';
import type { Target } from './target.js';
import type { Opening } from './ws-client.js';

/** Beyond it signed requests are refused: the default of `http_signature_max_age`. */
const MAX_SKEW_MS = 600_000;
const NOTICEABLE_SKEW_MS = 30_000;

const TLS_ERRORS: readonly (readonly [RegExp, string])[] = [
  [/CERT_HAS_EXPIRED/, 'the certificate has expired: renew it, and send SIGHUP to the server that has it'],
  [/CERT_NOT_YET_VALID/, 'the certificate is not valid yet, or the clock of this machine is wrong'],
  [/ALTNAME_INVALID/, 'the certificate is for another name: connect by a name that it has, or get one for this host'],
  [
    /SELF_SIGNED|DEPTH_ZERO/,
    'the certificate is self-signed: browsers refuse it; use one of a public authority, or install yours on every client',
  ],
  [
    /UNABLE_TO_(?:VERIFY|GET_ISSUER)/,
    'the certificate comes without the intermediate ones (tls_cert must be the full chain, fullchain.pem), or is of an authority of your own, which Node knows by NODE_EXTRA_CA_CERTS',
  ],
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|EPROTO/,
    'the port speaks plain http, not https: use http://, or set tls_cert and tls_key there',
  ],
];

function tlsSentence(code: string, message: string): string | undefined {
  return TLS_ERRORS.find(([pattern]) => pattern.test(code) || pattern.test(message))?.[1];
}

/** Why nothing came back. */
export function transportSentence(base: string, { message, details }: CliError): string {
  const { code = '' } = details as { code?: string };
  const tls = tlsSentence(code, message);
  if (tls !== undefined) return `${base}: ${tls}`;
  if (code === 'ECONNREFUSED') {
    return `${base}: nobody listens there: is the server started, and is it this port (POGO_WS_PORT; behind a proxy 443)?`;
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `${base}: there is no such host: check its name, or DNS`;
  if (/HPE_|other side closed|UND_ERR_SOCKET|ECONNRESET/.test(`${code} ${message}`)) {
    return base.startsWith('https:')
      ? `${base}: the connection is cut without an answer: a proxy or a mapped port has no server behind it, or it is none of HTTP`
      : `${base}: the port does not speak plain http: it may be one with TLS, use https://`;
  }
  if (message.includes('does not answer within')) {
    return `${base}: no answer in time: a firewall drops the connection, the server hangs, or a mapped port has no server behind it`;
  }
  return message;
}

/** What /up says that is no end. */
const UNWELL: Readonly<Record<string, string>> = {
  hub_not_initialized: 'it is starting, try again',
  hub_unhealthy: 'it does nothing any more, restart it and look into its log',
};

/** What /up says; undefined when all is well. */
export function upSentence(base: string, { status, headers, body }: ApiAnswer): string | undefined {
  const location = headers.get('location');
  if (status >= 300 && status < 400 && location !== null) {
    return `${base} redirects to ${location}: clients and publishers do not follow, give them that URL (scheme https, port 443)`;
  }
  if (status === 400 && /plain HTTP request|HTTPS port/i.test(String(body))) {
    return `${base}: the port is one with TLS: use https://`;
  }
  if (status === 502 || status === 504) {
    return `${base}: a proxy answers ${status}: it does not reach the gateway; check the address and port that it passes to`;
  }
  if (status === 503) {
    const state = (body as { status?: string } | null)?.status;
    return state === undefined
      ? `${base}: a proxy answers 503: it has no gateway that is ready`
      : `${base}: the server says ${state}: ${UNWELL[state] ?? 'it is being stopped or replaced'}`;
  }
  if (status === 404) {
    return `${base} answers 404 to /up: another server than the gateway is there, or a path prefix is missing or too much (POGO_WS_PATH_PREFIX)`;
  }
  if (status !== 200) return `${base} answers ${status} to /up: something in front of the gateway refuses requests`;
  return undefined;
}

/** Somebody answers /up, but is it the gateway? Laravel has a route of that name. */
export function isUpOfGateway({ body }: ApiAnswer): boolean {
  return typeof body === 'object' && body !== null && ('status' in body || 'health' in body);
}

export function serverSentence(answer: ApiAnswer): string | undefined {
  if (isUpOfGateway(answer)) return undefined;
  return 'something answers /up that is not the gateway, perhaps your application: the host or port is that of the web server, or its proxy does not pass /app and /apps on';
}

/** @param skewMs of the server's clock against this one. */
export function skewSentence(skewMs: number): ['ok' | 'warning' | 'wrong', string] {
  const seconds = Math.round(skewMs / 1_000);
  if (Math.abs(skewMs) > MAX_SKEW_MS) {
    return [
      'wrong',
      `the clocks are ${Math.abs(seconds)} s apart: signed requests are refused beyond ${MAX_SKEW_MS / 1_000} s; run NTP on both machines`,
    ];
  }
  if (Math.abs(skewMs) > NOTICEABLE_SKEW_MS) {
    return ['warning', `the clocks are ${Math.abs(seconds)} s apart: run NTP before it becomes 600`];
  }
  return ['ok', 'the clocks agree'];
}

const REFUSALS: Readonly<Record<number, string>> = {
  1006: 'the WebSocket opens and is cut before the gateway has said a word: what is in between does not let it through',
  4001: 'there is no app with this key: compare it with POGO_WS_APP_KEY, REVERB_APP_KEY or apps in the configuration file',
  4003: 'the app is disabled: enabled is off in the configuration',
  4004: 'the app has as many connections as it may have: max_connections of the app',
  4005: 'the path is wrong: a path prefix is missing or too much (POGO_WS_PATH_PREFIX, wsPath in the client)',
  4009: 'pages of this origin may not connect: add it to allowed_origins',
  4100: 'the server is full or is being stopped: max_connections, or try again',
  4200: 'the server is being stopped: try again',
};

/** Why a client could not connect. */
export function openingSentence(
  base: string,
  opening: Exclude<Opening, { outcome: 'established' }>,
  origin?: string,
): string {
  switch (opening.outcome) {
    case 'refused':
      return `a client is refused with ${`${opening.code} ${opening.message}`.trim()}: ${REFUSALS[opening.code] ?? 'see docs/errors.md'}${origin === undefined ? '' : ` (origin ${origin})`}`;
    case 'no_upgrade':
      return upgradeSentence(opening.status, opening.location);
    case 'timeout':
      return 'a WebSocket gets no answer: a proxy or firewall lets http through and holds WebSockets back';
    case 'failed':
      if (opening.code === 'ECONNRESET') {
        return 'the handshake of a WebSocket is cut: a proxy or firewall lets http through and WebSockets not';
      }
      return `${base}: ${tlsSentence(opening.code, opening.message) ?? opening.message}`;
  }
}

function upgradeSentence(status: number, location: string | undefined): string {
  if (status === 429) {
    return 'the handshake is answered 429: this address makes too many, or all clients come from one proxy that trusted_proxies does not name (docs/proxy.md)';
  }
  if (location !== undefined) return `the handshake is redirected to ${location}: clients do not follow, use that URL`;
  if (status === 401 || status === 403) {
    return `the handshake is answered ${status}: a proxy or firewall in front of the gateway asks for a login or blocks it`;
  }
  if (status === 502 || status === 503 || status === 504) {
    return `the handshake is answered ${status}: the proxy does not reach the gateway for WebSockets`;
  }
  return `the handshake is answered ${status} instead of 101: a proxy does not hand on Upgrade and Connection; in nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; (docs/proxy.md)`;
}

/** Why a publish was refused, or did not reach the gateway. */
export function apiSentence({ appId, base }: Target, status: number, error: string): string {
  if (status === 200)
    return 'publishing is answered 200, but not by the gateway: the proxy must pass /apps on as well as /app';
  if (status === 401) {
    const suspect = /invalid: (\w+)/.exec(error)?.[1];
    if (suspect === 'key') return `the key is not that of app ${appId}: give the --app-id that belongs to the key`;
    if (suspect === 'timestamp') {
      return 'the time-stamp is too far off: the clocks of this machine and the server differ by more than http_signature_max_age (10m by default); run NTP on both';
    }
    if (suspect === 'digest')
      return 'the body has changed on its way: something between here and the gateway rewrites requests';
    const path =
      new URL(base).pathname === '/' ? '' : ', or a proxy changes the path, which is signed (POGO_WS_PATH_PREFIX)';
    // Dialect reverb does not say what is wrong.
    if (suspect === undefined) {
      return `the secret is wrong, or the key is not that of app ${appId}: compare both, and --app-id, with the configuration${path}`;
    }
    return `the secret is wrong: compare it with POGO_WS_APP_SECRET, REVERB_APP_SECRET or the file${path}`;
  }
  if (status === 404 && error.includes('application')) return `there is no app with the id ${appId}: give --app-id`;
  if (status === 404)
    return 'clients can connect but the HTTP API is not there: the proxy must pass /apps on as well as /app';
  if (status === 429) return `publishing is answered 429: ${error}; http_rate_limit of the app`;
  if (status === 500 || status === 503)
    return `publishing fails (${error}): Redis is out of reach or the server is overloaded; see /ready`;
  if (status >= 300 && status < 400)
    return 'publishing is redirected, which publishers do not follow: use https, or the URL that it redirects to';
  return `publishing is answered ${status}: ${error}`;
}
