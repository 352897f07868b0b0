import type { IncomingMessage, ServerResponse } from 'node:http';

/** The body's length as announced; undefined when it comes in chunks. */
export function announcedLength(request: IncomingMessage): number | undefined {
  if (request.headers['transfer-encoding'] !== undefined) return undefined;
  return Number(request.headers['content-length'] ?? 0);
}

/**
 * Takes the body as bytes if all of it is here, as it is when a publish came in one TCP segment; undefined otherwise.
 * Without listeners, a promise and the next turn.
 */
export function takeArrivedBody(request: IncomingMessage, response: ServerResponse): Buffer | undefined {
  // Pipelined: one before it is not answered yet, perhaps because its body is still to come, and must not be overtaken.
  if (response.socket === null) return undefined;
  if (request.readableLength === 0 || request.readableLength !== announcedLength(request)) return undefined;
  const body = request.read() as Buffer | null;
  // To its end: only then is the request closed, and the connection done with it.
  request.resume();
  return body ?? undefined;
}

/**
 * Reads the body as bytes, whatever its type says, or answers undefined when it has more than `maxBytes`. How long it
 * may take is the server's `requestTimeout`. Rejects when the client goes away.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    if (request.destroyed) {
      reject(new Error('the client went away'));
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      // The rest is read and forgotten, so that the client gets to see the answer.
      else resolve(undefined);
    });
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
    request.on('error', reject);
    // Every request is closed in the end. An error for those that were read would cost a stack trace: 12 µs.
    request.on('close', () => {
      if (!request.readableEnded) reject(new Error('the client went away'));
    });
  });
}
