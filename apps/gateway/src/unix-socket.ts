import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { lstat, unlink } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

/** What `sun_path` holds on Linux, less its final zero; macOS has 103. */
const MAX_PATH_BYTES = 107;
/** 0660: whoever may publish is in the group that owns it. */
const UMASK = 0o117;

export interface UnixSocketOptions {
  readonly path: string;
  readonly server: ServerOptions;
  /** Answers a request. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** The server whose `upgrade` listeners serve WebSockets here as well. */
  readonly upgrades: Server;
  /** Called with each connection. */
  readonly connected: (socket: Socket) => void;
  /** How long a request that has begun may take from {@link UnixSocketServer.close} on. */
  readonly graceMs: number;
}

/** Serves what the main server serves on a Unix socket, in plain HTTP, for publishers and proxies on this machine. */
export class UnixSocketServer {
  private readonly server: Server;

  constructor(private readonly options: UnixSocketOptions) {
    this.server = createServer(options.server, options.handle);
    this.server.on('connection', options.connected);
    this.server.on('upgrade', (...args) => options.upgrades.emit('upgrade', ...args));
  }

  /**
   * Listens, with mode 0660. What a process left behind that is gone is replaced.
   * @throws Error when a living process listens there, and when the path is something else or too long.
   */
  async listen(): Promise<void> {
    const { path } = this.options;
    if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
      throw new Error(`unix_socket ${path}: a socket's path has at most ${MAX_PATH_BYTES} bytes`);
    }
    await removeStale(path);
    const listening = once(this.server, 'listening');
    // Binding happens within `listen`, so nobody ever sees the socket with another mode.
    const umask = process.umask(UMASK);
    try {
      this.server.listen(path);
    } finally {
      process.umask(umask);
    }
    await listening;
  }

  /** Resolves when the requests under way are answered, or cut off. The socket's file is gone then. */
  close(): Promise<void> {
    if (!this.server.listening) return Promise.resolve();
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeIdleConnections();
      // Node checks no time-outs any more, and a connection without a whole request would hold the server open for ever.
      setTimeout(() => this.server.closeAllConnections(), this.options.graceMs).unref();
    });
  }
}

async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`unix_socket ${path}: there is a file, and it is no socket`);
  if (await isAlive(path)) throw new Error(`unix_socket ${path}: another process listens there`);
  await unlink(path);
}

/** Only a refusal says that nobody listens: a queue that is full, or a right that is missing, does not. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}
