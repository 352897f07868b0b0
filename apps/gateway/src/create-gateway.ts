import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { Server } from 'node:https';
import type { LoggerService, Type, DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { HubService, RedisNode } from '@pogo/hub';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { CommandServer } from './commands/command-server.js';
import { GATEWAY_CONFIG, type GatewayConfig } from './config/gateway-config.js';
import { belowPrefix } from './config/path-prefix.js';
import type { TlsFiles } from './config/tls-files.js';
import { httpGraceMs } from './drain-on-shutdown.js';
import { KnownRoutes } from './http/known-routes.js';
import { PusherHttpFilter } from './http/pusher-http.filter.js';
import { TlsCertificate } from './tls.js';
import { UnixSocketServer } from './unix-socket.js';
import { PusherWsAdapter } from './websocket/pusher-ws.adapter.js';

export interface CreateGatewayOptions {
  readonly logger?: LoggerService;
  /**
   * The whole server is the gateway's: unknown paths and upgrades are refused as Pusher would. Set it to false for an
   * application with routes and gateways of its own, which then keeps Nest's answers. Default true.
   */
  readonly isStandalone?: boolean;
  /**
   * Serves https and wss. The server is made before any module, so the configuration cannot say it alone: hand on its
   * `tls`. {@link reloadCertificate} reads the files again.
   */
  readonly tls?: TlsFiles | undefined;
}

/** A client that has not sent its request's headers, or its body, by then is cut off. */
const TIMEOUTS = { headersTimeout: 5_000, connectionsCheckingInterval: 1_000 };
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_REQUEST_LINE_BYTES = 16_384;

/**
 * Boots a Nest application whose root module imports {@link GatewayModule}: everything that lives outside modules, such
 * as the WebSocket adapter, TLS and how bodies are read. The caller listens.
 * @throws Error when the files of `tls` are not usable, or the configuration asks for TLS and `tls` was left out.
 */
export async function createGateway(
  rootModule: Type | DynamicModule,
  { logger, isStandalone = true, tls }: CreateGatewayOptions = {},
): Promise<NestFastifyApplication> {
  const prefix = new PathPrefix();
  const certificate = tls === undefined ? undefined : new TlsCertificate(tls);
  const adapter = new FastifyAdapter({
    rewriteUrl: (request: IncomingMessage) => prefix.strip(request.url ?? '/'),
    // Names have limits of their own, with sentences that name them; Node bounds the whole request line.
    routerOptions: { maxParamLength: MAX_REQUEST_LINE_BYTES },
    ...(isStandalone ? { frameworkErrors: refuseUrl } : {}),
    requestTimeout: REQUEST_TIMEOUT_MS,
    return503OnClosing: false,
    ...(certificate === undefined ? { http: TIMEOUTS } : { https: { ...certificate.serverOptions, ...TIMEOUTS } }),
  });
  const app = await NestFactory.create<NestFastifyApplication>(rootModule, adapter, {
    bodyParser: !isStandalone,
    abortOnError: false,
    ...(logger === undefined ? {} : { logger }),
  });
  const config = app.get<GatewayConfig>(GATEWAY_CONFIG);
  if (config.tls !== undefined && certificate === undefined) {
    await app.close();
    throw new Error('tls_cert and tls_key are set: hand them on, createGateway(RootModule, { tls: config.tls })');
  }
  certificate?.serve(app.getHttpServer() as unknown as Server);
  prefix.value = config.pathPrefix;
  const fastify = adapter.getInstance<FastifyInstance>();
  if (config.unixSocket !== undefined) serveOnUnixSocket(config.unixSocket, config, fastify, app.getHttpServer());
  leaveBodiesUnread(fastify, isStandalone);
  describeRoutes(fastify, app.get(KnownRoutes));
  closeConnectionsWhileDraining(fastify, app.get(HubService));
  app.useWebSocketAdapter(new PusherWsAdapter(app, { isStandalone }));
  if (isStandalone) app.useGlobalFilters(app.get(PusherHttpFilter));
  await connectTransports(app);
  return app;
}

/**
 * The broker is Nest's transport between the nodes as well: it brings the `@EventPattern`s that they send each other,
 * and commands of other services, which have a port of their own beside it.
 */
async function connectTransports(app: NestFastifyApplication): Promise<void> {
  const redis = app.get<RedisNode | undefined>(RedisNode);
  const commands = app.get<CommandServer | undefined>(CommandServer);
  if (redis !== undefined) app.connectMicroservice({ strategy: redis.broker });
  if (commands !== undefined) app.connectMicroservice({ strategy: commands });
  await app.startAllMicroservices();
}

/** Listens just before the main server does, whose `listen` fails with it, and closes with that. */
function serveOnUnixSocket(
  path: string,
  { shutdownTimeoutMs, trustedProxies }: GatewayConfig,
  fastify: FastifyInstance,
  upgrades: HttpServer,
): void {
  const server = { ...TIMEOUTS, requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: fastify.server.keepAliveTimeout };
  const socket = new UnixSocketServer({
    path,
    server,
    upgrades,
    graceMs: httpGraceMs(shutdownTimeoutMs),
    connected: (connection) => trustedProxies.addLocal(connection),
    handle: (request, response) => fastify.routing(request, response),
  });
  fastify.addHook('onReady', () => socket.listen());
  fastify.addHook('preClose', () => socket.close());
}

/** What is served under the prefix. An embedding application's own routes are not: a proxy may guard them by path. */
const OURS = /^\/(?:apps\/|(?:up|ready|pogo\/health)(?:$|\?))/;

/** Our routes are written without the prefix; requests arrive with it. */
class PathPrefix {
  value = '';

  strip(url: string): string {
    const rest = belowPrefix(url, this.value);
    return rest !== undefined && OURS.test(rest) ? rest : url;
  }
}

/** A URL that cannot be decoded has no route, and so no filter. */
function refuseUrl(_error: Error, _request: unknown, reply: FastifyReply): void {
  void reply.status(400).send({ error: 'the URL is not valid' });
}

/**
 * Bodies of the signed API are read by its guard, after the checks that need no body, as the bytes that were signed.
 * The route decides and not the URL, which can be written in many ways. A content type that is missing or malformed is
 * none of the API's business. An embedding application's own routes are parsed as usual.
 */
function leaveBodiesUnread(fastify: FastifyInstance, isStandalone: boolean): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const isSigned = request.routeOptions.url?.startsWith('/apps/:appId') ?? false;
    if (isStandalone || isSigned) request.raw.headers['content-type'] = SIGNED_BODY;
    done();
  });
  fastify.addContentTypeParser(SIGNED_BODY, (_request, _payload, done) => done(null));
}

const SIGNED_BODY = 'application/x-pogo-signed';

function describeRoutes(fastify: FastifyInstance, routes: KnownRoutes): void {
  fastify.addHook('onRoute', ({ method, url }) => routes.add(method, url));
}

function closeConnectionsWhileDraining(fastify: FastifyInstance, hub: HubService): void {
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    if (hub.isDraining) void reply.header('Connection', 'close');
    done(null, payload);
  });
}
