import { IncomingMessage, ServerResponse, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** As for every other request: its headers are here, so this is for the body and the answer. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Whether the request wants WebSocket, of all protocols that `Upgrade` can name. */
export function wantsWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket';
}

/** What RFC 6455 section 4.1 asks of a handshake and `ws` leaves to the server: HTTP/1.1, and a host. */
export function isHttp11(request: IncomingMessage): boolean {
  return request.httpVersion === '1.1' && request.headers.host !== undefined;
}

/**
 * Serves a request as if it had not asked for an upgrade, which is what RFC 9110 section 7.8 expects of a server that
 * does not know the protocol. HTTP clients that prefer HTTP/2 (Java's, curl's) offer `h2c` with an ordinary publish.
 *
 * Node hands every upgrade over without its body as soon as somebody listens, and only Node 24 can be asked not to; so
 * the request is made again and its body fed here. One request per connection; a body in chunks is refused, because its
 * parser is gone.
 */
export function serveWithoutUpgrade(server: Server, upgrade: IncomingMessage, stream: Duplex, head: Buffer): void {
  const socket = stream as Socket;
  const request = withoutBody(upgrade, socket);
  const response = new ServerResponse(request);
  const deadline = setTimeout(() => socket.destroy(), REQUEST_TIMEOUT_MS);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    clearTimeout(deadline);
    request.destroy();
  });
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.on('finish', () => socket.end(() => socket.destroy()));
  if (request.headers['transfer-encoding'] !== undefined) {
    response.writeHead(411).end();
    return;
  }
  feedBody(request, socket, head, Number(request.headers['content-length'] ?? 0));
  server.emit('request', request, response);
}

/** The same request with a body that has not ended yet. */
function withoutBody({ method, url, headers, rawHeaders }: IncomingMessage, socket: Socket): IncomingMessage {
  const version = { httpVersionMajor: 1, httpVersionMinor: 1, httpVersion: '1.1' };
  return Object.assign(new IncomingMessage(socket), { method, url, headers, rawHeaders, ...version });
}

/** Gives the request its body as it is asked for: what nobody reads stays in the kernel. */
function feedBody(request: IncomingMessage, socket: Socket, head: Buffer, length: number): void {
  let missing = length;
  const feed = (bytes: Buffer) => {
    const part = bytes.subarray(0, missing);
    missing -= part.length;
    // Reading the request resumes the socket (IncomingMessage does that by itself).
    if (part.length > 0 && !request.push(part)) socket.pause();
    if (missing > 0) return;
    socket.off('data', feed);
    socket.pause();
    request.complete = true;
    request.push(null);
  };
  socket.on('data', feed);
  socket.on('end', () => {
    if (missing > 0) socket.destroy();
  });
  feed(head);
}
