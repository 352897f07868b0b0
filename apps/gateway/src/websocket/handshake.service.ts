import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Inject, Injectable, Logger } from '@nestjs/common';
import {
  AppDefaults,
  AppProvider,
  AuthService,
  HubService,
  RateLimitService,
  type App,
  type Handshake,
} from '@pogo/hub';
import { PusherErrors, type DialectName, type PusherErrorData } from '@pogo/pusher-protocol';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config/gateway-config.js';
import { belowPrefix } from '../config/path-prefix.js';
import { parseRequestTarget, queryOf } from './request-target.js';

export interface Admission {
  readonly outcome: 'admitted';
  readonly app: App;
  readonly handshake: Handshake;
}

/** What becomes of an upgrade request. */
export type HandshakeAnswer =
  | Admission
  /** The client's address makes too many: HTTP 429, and pusher-js waits for 15 seconds and longer. */
  | { readonly outcome: 'throttled'; readonly retryAfterMs: number }
  /** Refused inside WebSocket: pusher-js understands the code, an HTTP status it would not. */
  | {
      readonly outcome: 'refused';
      readonly error: PusherErrorData;
      readonly dialect: DialectName;
      readonly isAddressFull: boolean;
    }
  /** The path belongs to somebody else in an application that embeds the gateway. */
  | { readonly outcome: 'not_ours' };

const KEY_PATH = /^\/app\/([^/]+)$/;
/** Tells the client the same, but whoever runs the server needs to do something else. */
const ADDRESS_FULL: PusherErrorData = { ...PusherErrors.overCapacity };
const OLDEST_PROTOCOL = 5;
const NEWEST_PROTOCOL = 7;

/** Decides on `GET /app/{key}` with `Upgrade: websocket`. The order of the checks is part of the protocol. */
@Injectable()
export class HandshakeService {
  /** Of refusals that come before the app is known. */
  private readonly dialect: DialectName;
  private readonly logger = new Logger('Proxies');
  private hasSaidUntrusted = false;

  constructor(
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    private readonly hub: HubService,
    private readonly apps: AppProvider,
    private readonly auth: AuthService,
    private readonly rateLimits: RateLimitService,
    appDefaults: AppDefaults,
  ) {
    this.dialect = appDefaults.dialect;
  }

  /** @param isStandalone whether every path of the server is the gateway's. */
  async decide(request: IncomingMessage, isStandalone: boolean): Promise<HandshakeAnswer> {
    const target = parseRequestTarget(request.url ?? '/');
    const key = this.keyIn(target?.pathname);
    if (key === undefined && !isStandalone) return { outcome: 'not_ours' };
    const clientIp = this.clientIpOf(request);
    const retryAfterMs = this.rateLimits.takeHandshake(clientIp);
    if (retryAfterMs > 0) return { outcome: 'throttled', retryAfterMs };
    const noRoom = this.noRoomFor(clientIp);
    if (noRoom !== undefined) return refused(noRoom, this.dialect);
    if (key === undefined) return refused(PusherErrors.pathNotFound, this.dialect);
    const protocol = target?.protocol ?? String(NEWEST_PROTOCOL);
    if (!/^-?\d+$/.test(protocol)) return refused(PusherErrors.invalidProtocolVersion, this.dialect);
    if (Number(protocol) < OLDEST_PROTOCOL || Number(protocol) > NEWEST_PROTOCOL) {
      return refused(PusherErrors.unsupportedProtocolVersion, this.dialect);
    }
    const app = await this.apps.findByKey(key);
    if (app === undefined) return refused(PusherErrors.applicationDoesNotExist, this.dialect);
    if (!app.enabled) return refused(PusherErrors.applicationDisabled, app.dialect);
    if (!app.allowedOrigins.allows(request.headers.origin)) return refused(PusherErrors.originNotAllowed, app.dialect);
    if (app.maxConnections !== undefined && (await this.hub.isOverQuota(app.id, app.maxConnections))) {
      return refused(PusherErrors.applicationOverQuota, app.dialect);
    }
    // The look-ups took time in which others may have come in, or the drain may have begun.
    const noRoomNow = this.noRoomFor(clientIp);
    if (noRoomNow !== undefined) return refused(noRoomNow, app.dialect);
    return { outcome: 'admitted', app, handshake: this.handshakeOf(app, clientIp, request) };
  }

  private noRoomFor(clientIp: string | undefined): PusherErrorData | undefined {
    if (this.hub.isDraining) return PusherErrors.restarting;
    if (this.hub.isFull) return PusherErrors.overCapacity;
    return this.hub.isFullFor(clientIp) ? ADDRESS_FULL : undefined;
  }

  private clientIpOf({ socket, headers }: IncomingMessage): string | undefined {
    const header = forwardedFor(headers);
    if (header !== undefined) this.sayIfUntrusted(socket);
    return this.config.trustedProxies.clientOf(socket, header);
  }

  /** The mistake that shows last: at the first deployment, when everybody comes back at once and is one client. */
  private sayIfUntrusted({ remoteAddress }: IncomingMessage['socket']): void {
    if (this.hasSaidUntrusted || !this.config.trustedProxies.isEmpty || !isPrivate(remoteAddress)) return;
    this.hasSaidUntrusted = true;
    this.logger.warn(
      `${remoteAddress ?? ''} hands on X-Forwarded-For, which is not believed: if it is your proxy, name it in trusted_proxies (docs/proxy.md), or all its clients count as one`,
    );
  }

  private handshakeOf(app: App, clientIp: string | undefined, { headers, url }: IncomingMessage): Handshake {
    let query: URLSearchParams | undefined;
    return this.auth.handshakeOf(app, clientIp, {
      header: (name) => textOf(headers[name]),
      parameter: (name) => (query ??= queryOf(url)).get(name) ?? undefined,
    });
  }

  /** The app key in `{prefix}/app/{key}`, or undefined when the path is another one. */
  private keyIn(pathname: string | undefined): string | undefined {
    const [, key] = KEY_PATH.exec(belowPrefix(pathname ?? '', this.config.pathPrefix) ?? '') ?? [];
    if (key === undefined) return undefined;
    try {
      return decodeURIComponent(key);
    } catch {
      return undefined;
    }
  }
}

function refused(error: PusherErrorData, dialect: DialectName): HandshakeAnswer {
  return { outcome: 'refused', error, dialect, isAddressFull: error === ADDRESS_FULL };
}

/** Of this machine or of a network that is not the Internet: a client that makes up headers comes from elsewhere. */
function isPrivate(address = ''): boolean {
  return /^(?:::ffff:)?(?:127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)|^::1$|^f[cd]/i.test(address);
}

function forwardedFor(headers: IncomingHttpHeaders): string | undefined {
  return textOf(headers['x-forwarded-for']);
}

/** Node joins nearly all repeated headers itself. */
function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header;
}
