import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { ServerTCP, type TcpSocket } from '@nestjs/microservices';
import { COMMAND_PATTERNS } from '@pogo/pusher-protocol';

const PATTERNS: ReadonlySet<unknown> = new Set(COMMAND_PATTERNS);
const MAX_CONNECTIONS = 256;
/** A message may be as long as a request's body; what Nest holds is that and the packet behind it. */
const PACKET_CHARACTERS = 65_536;
const INCOMPLETE_MESSAGE_TIMEOUT_MS = 10_000;
const MAX_SEND_BUFFER_BYTES = 1_048_576;
const MAX_ID_LENGTH = 128;

export interface CommandServerOptions {
  /** 0 = any free one. */
  readonly port: number;
  /** Longest message, in characters; a connection with a longer one is closed. */
  readonly maxMessageLength: number;
}

/**
 * Nest's TCP transport for the signed commands and nothing else, whatever message patterns an embedding application
 * has: on loopback, bounded, and closing connections that send what is no request.
 */
export class CommandServer extends ServerTCP implements OnApplicationBootstrap {
  private readonly log = new Logger('Commands');

  constructor({ port, maxMessageLength }: CommandServerOptions) {
    super({
      host: '127.0.0.1',
      port,
      maxBufferSize: maxMessageLength + PACKET_CHARACTERS,
      incompleteMessageTimeout: INCOMPLETE_MESSAGE_TIMEOUT_MS,
      maxSendBufferSize: MAX_SEND_BUFFER_BYTES,
    });
    this.server.maxConnections = MAX_CONNECTIONS;
  }

  /** The port that is listened on, once the application is initialized. */
  get boundPort(): number {
    return (this.unwrap<Server>().address() as AddressInfo).port;
  }

  /** Nest starts its transports before modules: {@link onApplicationBootstrap} listens when the hub is there. */
  override listen(callback: () => void): void {
    callback();
  }

  /** @throws Error when the port is taken. */
  async onApplicationBootstrap(): Promise<void> {
    this.server.listen(this.port, this.host);
    await once(this.server, 'listening');
    this.log.log(`serving commands on tcp://${this.host}:${this.boundPort}`);
  }

  override addHandler(...[pattern, ...rest]: Parameters<ServerTCP['addHandler']>): void {
    if (PATTERNS.has(pattern)) super.addHandler(pattern, ...rest);
  }

  /** What cannot be read ends the connection at once: Nest would wait for the other side to do so. */
  override bindHandler(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    super.bindHandler(socket);
  }

  override async handleMessage(socket: TcpSocket, message: unknown): Promise<unknown> {
    if (isRequest(message)) return super.handleMessage(socket, message);
    this.log.debug('closed a connection that has sent what is no request');
    return socket.netSocket.destroy();
  }

  /** The server's own errors: too many open files, for example. Who cannot listen is told otherwise. */
  protected override registerErrorListener(server: Server): void {
    server.on('error', (error) => this.server.listening && this.log.error(error));
  }

  /** Nest's errors quote what was received. */
  override handleError(): void {
    this.log.debug('closed a connection that has sent what cannot be read');
  }
}

function isRequest(message: unknown): boolean {
  if (typeof message !== 'object' || message === null) return false;
  const { pattern, id } = message as Readonly<Record<string, unknown>>;
  // Without an id nobody wants an answer.
  const hasId = id === undefined || (typeof id === 'string' && id.length <= MAX_ID_LENGTH);
  return hasId && PATTERNS.has(pattern);
}
