import http from 'node:http';
import { bodyMd5, signHttpRequest, type QueryPairs } from '@pogo/pusher-protocol';
import { expect } from 'vitest';
import { APP } from './gateway.js';
import { RawSocket } from './raw-socket.js';

export interface RawRequest {
  readonly method?: string;
  /** Path as it goes over the wire, without the query. */
  readonly path: string;
  readonly body?: string | Buffer;
  /** Parameters beside those of the signature. */
  readonly query?: QueryPairs;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: http.IncomingHttpHeaders;
}

/** Statuses that the HTTP API documents for requests that are served or are the client's fault. */
const DOCUMENTED = [200, 400, 401, 404, 405, 413, 422, 429];

/** A request that is not answered by then never will be. */
const PATIENCE_MS = 8_000;

/** Path and query of a correctly signed request. */
export function signedTarget({ method = 'POST', path, body = '', query = [] }: RawRequest): string {
  const bytes = Buffer.from(body);
  const pairs: QueryPairs = [
    ['auth_key', APP.key],
    ['auth_timestamp', String(Math.floor(Date.now() / 1_000))],
    ['auth_version', '1.0'],
    ...(bytes.length === 0 ? [] : [['body_md5', bodyMd5(bytes)] as const]),
    ...query,
  ];
  const signature = signHttpRequest(APP.secret, method, path, pairs);
  const search = new URLSearchParams(
    [...pairs, ['auth_signature', signature] as const].map(([key, value]): [string, string] => [key, value]),
  );
  return `${path}?${search.toString()}`;
}

/** Sends requests exactly as they are written: `fetch` would tidy up paths and refuse methods. */
export class RawHttp {
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: 8 });

  constructor(private readonly port: number) {}

  /** Signed, unless `target` says what to ask for instead. */
  send(request: RawRequest, target = signedTarget(request)): Promise<RawAnswer> {
    const { method = 'POST', body = '', headers = {} } = request;
    const length = 'Transfer-Encoding' in headers ? {} : { 'Content-Length': Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const sent = http.request({
        host: '127.0.0.1',
        port: this.port,
        agent: this.agent,
        method,
        path: target,
        headers: { 'Content-Type': 'application/json', ...length, ...headers },
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      sent.on('error', reject);
      sent.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const { statusCode: status = 0, headers } = response;
          resolve({ status, text: Buffer.concat(chunks).toString(), headers });
        });
      });
      sent.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

/** Writes `bytes` to a socket of its own and resolves to the answer when the server has ended it. */
export async function exchange(port: number, bytes: string | Buffer): Promise<RawAnswer> {
  const raw = await RawSocket.dial(port);
  raw.write(bytes);
  await raw.ended();
  raw.destroy();
  const [, ...lines] = raw.head.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  return { status: Number(raw.statusLine.split(' ')[1] ?? 0), text: raw.body, headers };
}

/** Fails unless the answer is one that the API documents: a known status, and a JSON object that says what is wrong. */
export function expectDocumented({ status, text, headers }: RawAnswer, method = 'POST'): void {
  expect(DOCUMENTED, text).toContain(status);
  expect(headers['content-type']).toMatch(/^application\/json/);
  if (method === 'HEAD') return;
  const body = JSON.parse(text) as Record<string, unknown>;
  if (status !== 200) expectRefusal(body);
}

/** `{"error": sentence}`, on publish routes with the publish status. */
export function expectRefusal(body: unknown): void {
  const { error, status, ...others } = body as Record<string, unknown>;
  expect(error).toMatch(/./);
  expect(status === undefined || (typeof status === 'number' && status >= 0 && status <= 9)).toBe(true);
  expect(others).toEqual({});
}
