import { request as overHttp, type Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as overHttps } from 'node:https';

/** Where requests go, and how much of an answer is awaited and read. */
export interface ExchangeTarget {
  readonly url: URL;
  readonly agent: Agent;
  /** For the whole exchange, its repetition included. */
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
  /** False when it is being shut down: then a request that was cut off is not repeated. */
  readonly isOpen: boolean;
}

export interface Post {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A status with the body, which is empty unless the status is 200; or why there is none. */
export type Reply = { readonly status: number; readonly body: string } | 'unreachable' | 'timed_out' | 'overflow';

/**
 * Sends one POST and resolves to what came back; follows no redirect.
 * @param onEnd called once, when the connection is free for another request, or gone: not before the reply is known.
 * @returns a promise that rejects, without `onEnd`, only for headers that cannot be sent.
 */
export function exchange(target: ExchangeTarget, post: Post, onEnd: () => void): Promise<Reply> {
  return new Promise((resolve) => {
    let request = send(target, post);
    let isFinal = false;
    const deadline = setTimeout(() => {
      isFinal = true;
      resolve('timed_out');
      request.destroy();
    }, target.timeoutMs);

    const attend = (attempt: ClientRequest) => {
      attempt.on('response', (response) => {
        isFinal = true;
        read(response, target.maxBodyBytes, resolve);
      });
      attempt.on('error', (error) => {
        if (isFinal || !target.isOpen || !wasIdleTooLong(attempt, error)) return;
        isFinal = true;
        dropIdle(target.agent);
        request = send(target, post);
        attend(request);
      });
      attempt.on('close', () => {
        if (attempt !== request) return;
        clearTimeout(deadline);
        resolve('unreachable');
        onEnd();
      });
    };
    attend(request);
  });
}

function send({ url, agent }: ExchangeTarget, { headers, body }: Post): ClientRequest {
  const request = url.protocol === 'https:' ? overHttps : overHttp;
  return request(url, { agent, method: 'POST', headers }).end(body);
}

/** The server closed an idle connection at the moment in which it was used again: it has not seen the request. */
function wasIdleTooLong(attempt: ClientRequest, { code }: NodeJS.ErrnoException): boolean {
  return attempt.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE');
}

/** So that what is repeated gets a new connection: the other idle ones have probably been closed as well. */
function dropIdle({ freeSockets }: Agent): void {
  for (const sockets of Object.values(freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

function read(response: IncomingMessage, maxBytes: number, resolve: (reply: Reply) => void): void {
  const status = response.statusCode ?? 0;
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Everything but 200 is decided by its status. Its body is read, so that the connection can be used again.
  if (status !== 200) resolve({ status, body: '' });
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      resolve('overflow');
      response.destroy();
    } else if (status === 200) {
      chunks.push(chunk);
    }
  });
  response.on('end', () => resolve({ status, body: Buffer.concat(chunks).toString() }));
  // Cut off; the request's `close` follows.
  response.on('error', () => undefined);
}
