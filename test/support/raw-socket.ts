import { randomBytes } from 'node:crypto';
import net from 'node:net';
import type { TestGateway } from './gateway.js';
import type { Message } from './client.js';

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameOptions {
  readonly opcode?: number;
  readonly fin?: boolean;
  /** The three reserved bits, 1 to 7. */
  readonly reserved?: number;
  readonly masked?: boolean;
  /** The length that the header claims, when it is not the payload's. */
  readonly claimed?: number | bigint;
}

/** One frame as a client sends it (RFC 6455 section 5.2), or as no client should. */
export function frame(payload: string | Buffer = '', options: FrameOptions = {}): Buffer {
  const { opcode = Opcode.text, fin = true, reserved = 0, masked = true } = options;
  const bytes = Buffer.from(payload);
  const claimed = BigInt(options.claimed ?? bytes.length);
  const size = claimed < 126n ? 0 : claimed < 65_536n ? 2 : 8;
  const head = Buffer.alloc(2 + size);
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | (size === 0 ? Number(claimed) : size === 2 ? 126 : 127);
  if (size === 2) head.writeUInt16BE(Number(claimed), 2);
  if (size === 8) head.writeBigUInt64BE(claimed, 2);
  if (!masked) return Buffer.concat([head, bytes]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, bytes.map((byte, i) => byte ^ (mask[i % 4] as number))]);
}

/** A close frame with `code`. */
export function closeFrame(code: number, reason: string | Buffer = ''): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return frame(Buffer.concat([payload, Buffer.from(reason)]), { opcode: Opcode.close });
}

/** The request that opens a WebSocket; `headers` replace or, when undefined, remove the usual ones. */
export function upgradeRequest(
  target: string,
  headers: Readonly<Record<string, string | undefined>> = {},
  requestLine = `GET ${target} HTTP/1.1`,
): string {
  const all = {
    Host: '127.0.0.1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return `${[requestLine, ...lines].join('\r\n')}\r\n\r\n`;
}

export interface ReceivedFrame {
  readonly opcode: number;
  readonly payload: Buffer;
  /** RSV1 is set: the payload is deflated. */
  readonly isDeflated: boolean;
}

/**
 * A TCP connection that does nothing by itself: it answers no ping, no close frame and no end of the stream. What the
 * server sends is taken apart into the head of an HTTP answer and WebSocket frames.
 */
export class RawSocket {
  readonly frames: ReceivedFrame[] = [];
  /** The server's HTTP answer up to the empty line; '' until it is complete. */
  head = '';
  /** True when the server has ended its side, or the connection is gone. */
  hasEnded = false;
  private unread: Buffer = Buffer.alloc(0);
  private readonly waiting: (() => void)[] = [];

  private constructor(readonly socket: net.Socket) {
    socket.on('data', (bytes) => {
      this.unread = Buffer.concat([this.unread, bytes]);
      this.parse();
      this.wake();
    });
    // A reset ends the connection as well; `close` follows.
    socket.on('error', () => undefined);
    for (const event of ['end', 'close'] as const) {
      socket.on(event, () => {
        this.hasEnded = true;
        this.wake();
      });
    }
  }

  /** @param to a port of the loopback interface, or the path of a Unix socket. */
  static dial(to: number | string): Promise<RawSocket> {
    const where = typeof to === 'string' ? { path: to } : { port: to, host: '127.0.0.1', noDelay: true };
    return new Promise((resolve, reject) => {
      const socket = net.connect({ ...where, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawSocket(socket));
      });
    });
  }

  /** A WebSocket of the test app that has been greeted. */
  static async open(gateway: TestGateway, headers: Readonly<Record<string, string>> = {}): Promise<RawSocket> {
    const raw = await RawSocket.dial(gateway.port);
    raw.write(upgradeRequest('/app/test-key', headers));
    await raw.message('pusher:connection_established');
    return raw;
  }

  /** The server's status line, '' when it has sent none. */
  get statusLine(): string {
    return this.head.split('\r\n', 1)[0] ?? '';
  }

  /** What follows the head of an answer that is no upgrade. */
  get body(): string {
    return this.unread.toString();
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** Sends one masked text frame. */
  send(message: object | string): void {
    this.write(frame(typeof message === 'string' ? message : JSON.stringify(message)));
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Resolves when `find` finds something in what has arrived. Rejects when the connection ends before that. */
  async until<T>(find: (raw: this) => T | undefined): Promise<T> {
    for (;;) {
      const found = find(this);
      if (found !== undefined) return found;
      if (this.hasEnded) throw new Error(`the connection ended after ${this.frames.length} frames: ${this.statusLine}`);
      await this.change();
    }
  }

  /** The first message named `event`. */
  message(event: string): Promise<Message> {
    return this.until(() => this.messages().find((message) => message.event === event));
  }

  /** Messages that came plain. */
  messages(): Message[] {
    return this.frames
      .filter(({ opcode, isDeflated }) => opcode === Opcode.text && !isDeflated)
      .map(({ payload }) => JSON.parse(payload.toString()) as Message);
  }

  /** The first frame of a kind. */
  received(opcode: number): Promise<ReceivedFrame> {
    return this.until(() => this.frames.find((received) => received.opcode === opcode));
  }

  /** The code in the server's close frame. */
  async closeCode(): Promise<number> {
    const { payload } = await this.received(Opcode.close);
    return payload.readUInt16BE(0);
  }

  /** Resolves when the server has ended its side, or the connection is gone. */
  async ended(): Promise<void> {
    while (!this.hasEnded) await this.change();
  }

  /**
   * Resolves when the server has closed the connection for good: a server that has only ended its side still takes
   * what is sent, and one that is gone answers with a reset.
   */
  async cutOff(): Promise<void> {
    await this.ended();
    const probe = frame('', { opcode: Opcode.pong });
    while (!this.socket.destroyed) {
      await new Promise<void>((resolve) => this.socket.write(probe, () => setImmediate(resolve)));
    }
  }

  private parse(): void {
    if (this.head === '') {
      const end = this.unread.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.head = this.unread.toString('latin1', 0, end);
      this.unread = this.unread.subarray(end + 4);
    }
    if (!this.head.startsWith('HTTP/1.1 101 ')) return;
    for (let next = frameIn(this.unread); next !== undefined; next = frameIn(this.unread)) {
      this.frames.push(next.frame);
      this.unread = next.rest;
    }
  }

  private change(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/** The first complete frame in `bytes` (servers do not mask) and what follows it. */
function frameIn(bytes: Buffer): { frame: ReceivedFrame; rest: Buffer } | undefined {
  if (bytes.length < 2) return undefined;
  const short = (bytes[1] as number) & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return undefined;
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return undefined;
  const payload = bytes.subarray(start, start + length);
  const first = bytes[0] as number;
  return {
    frame: { opcode: first & 0x0f, payload, isDeflated: (first & 0x40) !== 0 },
    rest: bytes.subarray(start + length),
  };
}
