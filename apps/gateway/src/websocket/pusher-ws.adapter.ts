import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { INestApplication } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import type { MessageMappingProperties } from '@nestjs/websockets';
import { Connection, HubEvents, HubService, UnavailableError } from '@pogo/hub';
import { decodeMessage, EventName, PusherErrors, type ClientMessage } from '@pogo/pusher-protocol';
import { isObservable, lastValueFrom, type Observable } from 'rxjs';
import { WebSocketServer, type RawData, type Server as WsServer, type ServerOptions } from 'ws';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config/gateway-config.js';
import { ClosingSockets } from './closing-sockets.js';
import { ClientWebSocket } from './client-web-socket.js';
import { HandshakeService, type Admission, type HandshakeAnswer } from './handshake.service.js';
import { isHttp11, serveWithoutUpgrade, wantsWebSocket } from './ignored-upgrade.js';
import { PUSHER_SERVER, PusherServer } from './pusher-server.js';
import { destroyOnError, RefusedSockets, refuseUpgrade } from './refused-sockets.js';
import { declineSmallWindows, SHARED_DEFLATE } from './shared-deflate.js';
import { WsSocket, type ConnectionListener } from './ws-socket.js';

/** When `ws` itself cuts off who does not finish closing: long after {@link ClosingSockets}, which takes its time. */
const CLOSE_WAIT_MS = 30_000;
/** Handshakes that may wait for look-ups; more are refused with 503. */
const MAX_UNDECIDED = 4_096;
const MAX_FRAGMENTS = 1_024;
const MAX_BUFFERED_CHUNKS = 4_096;

export interface PusherWsAdapterOptions {
  /** Every path of the server is the gateway's: unknown upgrades are refused with 4005. Otherwise they are left alone. */
  readonly isStandalone: boolean;
}

/**
 * Carries the Pusher protocol on Nest's WebSocket seam: any `/app/{key}` path, messages in order, raw frames out. Nest
 * keeps the gateway class with its guards and filters; nothing of RxJS is on the way of a message. Other gateways of
 * the application work as with the WsAdapter.
 */
export class PusherWsAdapter extends WsAdapter implements ConnectionListener {
  private readonly server = new PusherServer();
  readonly closing = new ClosingSockets();
  private readonly refused = new RefusedSockets(this.closing);
  private readonly ws: WsServer<typeof ClientWebSocket>;
  private readonly hub: HubService;
  private readonly events: HubEvents;
  private readonly handshake: HandshakeService;
  private isListening = false;
  /** Handshakes that wait for a look-up. */
  private undecided = 0;

  constructor(
    app: INestApplication,
    private readonly options: PusherWsAdapterOptions,
  ) {
    super(app);
    this.hub = app.get(HubService);
    this.events = app.get(HubEvents);
    this.handshake = app.get(HandshakeService);
    const { maxClientMessageBytes, compression } = app.get<GatewayConfig>(GATEWAY_CONFIG);
    // Unknown to @types/ws 8.18: closeTimeout, maxFragments, maxBufferedChunks.
    const serverOptions: ServerOptions<typeof ClientWebSocket> & Record<string, unknown> = {
      WebSocket: ClientWebSocket,
      noServer: true,
      clientTracking: false,
      autoPong: false,
      perMessageDeflate: compression && SHARED_DEFLATE,
      maxPayload: maxClientMessageBytes,
      closeTimeout: CLOSE_WAIT_MS,
      // A message in thousands of pieces costs far more memory than its bytes.
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: MAX_BUFFERED_CHUNKS,
    };
    this.ws = new WebSocketServer(serverOptions);
  }

  override create(port: number, options: Record<string, unknown> = {}): unknown {
    if (options[PUSHER_SERVER] !== true) return super.create(port, options);
    this.ensureHttpServerExists(port, this.httpServer as Server);
    return this.server;
  }

  override bindClientConnect(server: unknown, callback: (client: unknown) => void): void {
    if (server === this.server) this.server.onConnect = callback;
    else super.bindClientConnect(server, callback);
  }

  override bindClientDisconnect(client: unknown, callback: () => void): void {
    // The hub hears of it directly, and tells whoever listens to hub events.
    if (!(client instanceof Connection)) super.bindClientDisconnect(client, callback);
  }

  override bindMessageHandlers(
    client: unknown,
    handlers: MessageMappingProperties[],
    transform: (data: unknown) => Observable<unknown>,
  ): void {
    if (client instanceof Connection) this.server.handlers = handlers;
    else super.bindMessageHandlers(client, handlers, transform);
  }

  override async close(server: unknown): Promise<void> {
    if (server !== this.server) return super.close(server);
    this.refused.terminateAll();
  }

  override async dispose(): Promise<void> {
    (this.httpServer as Server).off('upgrade', this.onUpgrade);
    await super.dispose();
  }

  /** Nest's own listener destroys every upgrade whose path it does not know, so ours stands before it. */
  protected override ensureHttpServerExists(port: number, httpServer?: Server) {
    if (httpServer === undefined || httpServer !== this.httpServer)
      return super.ensureHttpServerExists(port, httpServer);
    if (!this.isListening) {
      this.isListening = true;
      httpServer.on('upgrade', this.onUpgrade);
    }
    this.httpServersRegistry.set(port, httpServer);
    return httpServer;
  }

  private readonly onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    if (!wantsWebSocket(request) && this.isAloneWithUpgrades()) {
      serveWithoutUpgrade(this.httpServer as Server, request, stream, head);
      return;
    }
    void this.upgrade(request, stream, head);
  };

  private async upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    // While the look-ups take their time the stream is nobody's but ours.
    stream.on('error', destroyOnError);
    if (this.undecided >= MAX_UNDECIDED) return refuseUpgrade(stream, 503);
    this.undecided++;
    try {
      const answer = await this.handshake.decide(request, this.options.isStandalone);
      // Its error is still to come.
      if (stream.destroyed) return;
      stream.off('error', destroyOnError);
      this.answer(answer, request, stream, head);
    } catch (error) {
      // Who looks apps up has said so, once for many.
      if (!(error instanceof UnavailableError)) this.logger.error(error);
      refuseUpgrade(stream, 503);
    } finally {
      this.undecided--;
    }
  }

  private answer(answer: HandshakeAnswer, request: IncomingMessage, stream: Duplex, head: Buffer): void {
    if (answer.outcome === 'not_ours') {
      this.passOn(request, stream, head);
    } else if (!isHttp11(request)) {
      refuseUpgrade(stream, 400);
    } else if (answer.outcome === 'admitted') {
      this.accept(request, stream, head, (ws) => this.open(ws, stream, answer));
    } else if (answer.outcome === 'throttled') {
      this.events.emit('handshakeRejected', { code: 429 });
      refuseUpgrade(stream, 429, answer.retryAfterMs);
    } else {
      this.events.emit('handshakeRejected', { code: answer.error.code, isAddressFull: answer.isAddressFull });
      if (this.refused.isFull) refuseUpgrade(stream, 503);
      else this.accept(request, stream, head, (ws) => this.refused.refuse(ws, answer.error, answer.dialect));
    }
  }

  private accept(request: IncomingMessage, stream: Duplex, head: Buffer, greet: (ws: ClientWebSocket) => void): void {
    declineSmallWindows(request);
    // The answer to the handshake and the greeting leave in one system call, which saves a tenth of a connection's CPU.
    stream.cork();
    this.ws.handleUpgrade(request, stream, head, greet);
    stream.uncork();
  }

  private open(ws: ClientWebSocket, stream: Duplex, { app, handshake }: Admission): void {
    const socket = new WsSocket(ws, stream, this);
    socket.attach(this.hub.connect(app, socket, this.handle, handshake));
  }

  connectionFailed(connection: Connection, error: Error): void {
    // Everything else is what the client did wrong, or read.
    if ((error as NodeJS.ErrnoException).syscall === 'write') this.events.emit('writeFailed', { connection });
    this.logger.debug?.(`${connection.socketId}: ${error.message}`);
  }

  connectionClosed(connection: Connection): void {
    this.hub.disconnect(connection);
  }

  connectionReceived(connection: Connection, data: RawData, isBinary: boolean): void {
    if (!connection.isOpen) return;
    if (isBinary) {
      connection.close(PusherErrors.binaryNotSupported);
      return;
    }
    // One Buffer: that is the default `binaryType`.
    const bytes = data as Buffer;
    const message = decodeMessage(bytes.toString());
    if (message.event === EventName.ping) this.server.gateway?.ping(connection);
    else if (message.event !== EventName.pong) connection.receive(message, bytes.length);
  }

  /** One message of the ordered inbox. */
  private readonly handle = (connection: Connection, message: ClientMessage): void | Promise<void> => {
    switch (message.event) {
      case EventName.subscribe:
      case EventName.unsubscribe:
      case EventName.signin:
        return this.callNest(connection, message);
      case EventName.ping:
      case EventName.pong:
        return;
      case 'invalid':
        connection.sendError(PusherErrors.invalidMessage);
        return;
      default:
        return this.server.gateway?.clientEvent(connection, message);
    }
  };

  /** Resolves when guards, handler and filter are done. */
  private async callNest(connection: Connection, message: ClientMessage): Promise<void> {
    const result: unknown = await this.server.handlerFor(connection, message.event)?.(message);
    // With interceptors Nest answers an Observable, and nothing happens until somebody subscribes to it.
    if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
  }

  /** An upgrade for another gateway of the application, or for somebody else who listens. */
  private passOn(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const [pathname] = (request.url ?? '/').split('?', 1);
    const servers = (this.wsServersRegistry.get(0) ?? []) as (WebSocketServer & { readonly path: string })[];
    const other = servers.find(({ path }) => path === pathname);
    if (other !== undefined) other.handleUpgrade(request, stream, head, (ws) => other.emit('connection', ws, request));
    else if (this.isAloneWithUpgrades()) refuseUpgrade(stream, 400);
  }

  /** Nobody else of the application listens, so what is not served here is not served at all. */
  private isAloneWithUpgrades(): boolean {
    return this.options.isStandalone || (this.httpServer as Server).listenerCount('upgrade') === 1;
  }
}
