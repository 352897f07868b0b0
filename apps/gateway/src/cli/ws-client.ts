import { WebSocket } from 'ws';

/** Why a WebSocket did not come to be, or what it was told. */
export type Opening =
  | { readonly outcome: 'established'; readonly client: WsClient }
  /** A pusher:error or a close code instead of the greeting. */
  | { readonly outcome: 'refused'; readonly code: number; readonly message: string }
  /** An HTTP answer that is no upgrade: of a proxy, as a rule. */
  | { readonly outcome: 'no_upgrade'; readonly status: number; readonly location: string | undefined }
  | { readonly outcome: 'failed'; readonly code: string; readonly message: string }
  | { readonly outcome: 'timeout' };

export interface ServerMessage {
  readonly event: string;
  readonly channel?: string;
  readonly data?: unknown;
}

interface OpenOptions {
  readonly timeoutMs: number;
  readonly origin?: string | undefined;
}

const NOT_PUSHER =
  'a WebSocket opens, but what it says is not the Pusher protocol: another server than the gateway is behind /app';

/** A client as pusher-js is one, as small as it can be. */
export class WsClient {
  private readonly listeners = new Set<(message: ServerMessage) => void>();

  private constructor(
    private readonly socket: WebSocket,
    readonly socketId: string,
  ) {
    socket.on('message', (data: Buffer) => {
      const message = parsed(data);
      if (message === undefined) return;
      if (message.event === 'pusher:ping') this.send({ event: 'pusher:pong', data: {} });
      for (const listener of this.listeners) listener(message);
    });
  }

  /** @param base of the target: http means ws. Never rejects. */
  static open(base: string, key: string, { timeoutMs, ...options }: OpenOptions): Promise<Opening> {
    const url = `${base.replace(/^http/, 'ws')}/app/${encodeURIComponent(key)}?protocol=7&client=pogo-cli&version=1`;
    const socket = new WebSocket(url, { handshakeTimeout: timeoutMs, ...options });
    return new Promise((resolve) => {
      let refusal: { code: number; message: string } | undefined;
      const end = (opening: Opening) => {
        clearTimeout(timer);
        resolve(opening);
        if (opening.outcome !== 'established') socket.terminate();
      };
      const timer = setTimeout(end, timeoutMs, { outcome: 'timeout' });
      socket.on('unexpected-response', (_request, response) => {
        end({ outcome: 'no_upgrade', status: response.statusCode ?? 0, location: response.headers.location });
      });
      socket.on('error', (error: NodeJS.ErrnoException) => {
        end({ outcome: 'failed', code: error.code ?? '', message: error.message });
      });
      socket.on('close', (code, reason) => {
        end({ outcome: 'refused', code: refusal?.code ?? code, message: refusal?.message ?? reason.toString() });
      });
      socket.once('message', (data: Buffer) => {
        const { event, data: body } = parsed(data) ?? {};
        const { socket_id: socketId, code, message } = objectIn(body);
        if (event === 'pusher:connection_established' && typeof socketId === 'string') {
          end({ outcome: 'established', client: new WsClient(socket, socketId) });
        } else if (event === 'pusher:error') {
          refusal = { code: Number(code), message: String(message) };
        } else {
          end({ outcome: 'failed', code: 'NOT_PUSHER', message: NOT_PUSHER });
        }
      });
    });
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  onMessage(listener: (message: ServerMessage) => void): void {
    this.listeners.add(listener);
  }

  /** Subscribes; false when it is not acknowledged in time. */
  async subscribe(channel: string, timeoutMs: number): Promise<boolean> {
    const acknowledged = this.receive(
      ({ event, channel: of }) => event === 'pusher_internal:subscription_succeeded' && of === channel,
      timeoutMs,
    );
    this.send({ event: 'pusher:subscribe', data: { channel } });
    return (await acknowledged) !== undefined;
  }

  /** The first message that matches from now on; undefined when there is none in time. */
  receive(matches: (message: ServerMessage) => boolean, timeoutMs: number): Promise<ServerMessage | undefined> {
    return new Promise((resolve) => {
      const end = (message?: ServerMessage) => {
        clearTimeout(timer);
        this.listeners.delete(listener);
        resolve(message);
      };
      const listener = (message: ServerMessage) => {
        if (matches(message)) end(message);
      };
      const timer = setTimeout(end, timeoutMs);
      this.listeners.add(listener);
      this.socket.once('close', () => end());
    });
  }

  close(): void {
    this.socket.close();
    this.socket.terminate();
  }
}

/** Whoever answers may be any server. */
function parsed(data: Buffer): ServerMessage | undefined {
  const message = objectIn(data.toString());
  return typeof message['event'] === 'string' ? (message as unknown as ServerMessage) : undefined;
}

/** An object, or the JSON of one; empty when it is neither. */
function objectIn(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  if (typeof value !== 'string') return {};
  try {
    const object: unknown = JSON.parse(value);
    return typeof object === 'object' && object !== null ? (object as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
