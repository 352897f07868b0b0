import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import type { Connection } from '@pogo/hub';
import { describe, expect, it, vi } from 'vitest';
import type { ClientWebSocket } from './client-web-socket.js';
import { ClosingSockets } from './closing-sockets.js';
import { WsSocket } from './ws-socket.js';

/** A stream that takes nothing until it is told to. */
class StuckStream extends Duplex {
  private done: (() => void) | undefined;

  constructor() {
    super({ writableHighWaterMark: 10 });
  }

  override _read(): void {
    // Nothing comes in.
  }

  override _write(_chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    this.done = done;
  }

  /** Takes everything that was written. */
  async accept(): Promise<void> {
    while (this.writableLength > 0) {
      this.done?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

function scene() {
  const stream = new StuckStream();
  return { stream, ...socketOn(stream) };
}

function socketOn(stream: Duplex) {
  const terminate = vi.fn();
  const ws = { extensions: '', readyState: 1, terminate } as unknown as ClientWebSocket;
  const connection = { handleDrain: vi.fn() };
  const unused = () => undefined;
  const listener = {
    connectionReceived: unused,
    connectionFailed: unused,
    connectionClosed: unused,
    closing: new ClosingSockets(),
  };
  const socket = new WsSocket(ws, stream, listener);
  socket.attach(connection as unknown as Connection);
  return { socket, connection, terminate };
}

describe('WsSocket', () => {
  it('listens for nothing on a stream that takes everything', () => {
    const { stream, socket } = scene();
    expect(socket.write(Buffer.alloc(5))).toBe(true);
    expect(stream.listenerCount('drain')).toBe(0);
  });

  it('tells the connection of each drain once, however many writes were refused before it', async () => {
    const { stream, socket, connection } = scene();
    for (let round = 1; round <= 3; round++) {
      expect(socket.write(Buffer.alloc(20))).toBe(false);
      expect(socket.write(Buffer.alloc(20))).toBe(false);
      expect(stream.listenerCount('drain')).toBe(1);
      await stream.accept();
      expect(connection.handleDrain).toHaveBeenCalledTimes(round);
      expect(stream.listenerCount('drain')).toBe(0);
    }
  });

  it('hears of the next drain when the connection is blocked again while it drains', async () => {
    const { stream, socket, connection } = scene();
    connection.handleDrain.mockImplementationOnce(() => expect(socket.write(Buffer.alloc(20))).toBe(false));
    expect(socket.write(Buffer.alloc(20))).toBe(false);
    await stream.accept();
    await stream.accept();
    expect(connection.handleDrain).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['is reset when its client has not taken all', 0, true, 'reset'],
    ['is closed in the ordinary way when its client has taken all, or the kernel has', 0, false, 'closed'],
    [
      'is closed in the ordinary way when it is a Unix socket',
      join(tmpdir(), `pogo-${process.pid}.sock`),
      true,
      'closed',
    ],
  ])('%s', async (_, address, hasBacklog, expected) => {
    const server = createServer().listen(address);
    await once(server, 'listening');
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const at = server.address();
    const client = connect(typeof at === 'string' ? { path: at } : { port: at?.port ?? 0 }).pause();
    const [stream] = await accepted;
    if (hasBacklog) while (stream.write(Buffer.alloc(65_536)));
    const { socket, terminate } = socketOn(stream);
    const reset = vi.spyOn(stream, 'resetAndDestroy');
    socket.terminate();
    const wasReset = reset.mock.results.some(({ type }) => type === 'return');
    expect([wasReset, terminate.mock.calls.length]).toEqual(expected === 'reset' ? [true, 0] : [false, 1]);
    expect(stream.destroyed).toBe(wasReset);
    for (const end of [client, stream]) end.on('error', () => undefined).destroy();
    server.close();
  });
});
