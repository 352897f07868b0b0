import { bodyMd5, signHttpRequest, type QueryPairs } from '@pogo/pusher-protocol';
import { CliError } from './context.js';
import type { Target } from './target.js';

export interface ApiAnswer {
  readonly status: number;
  /** Parsed when it is JSON. */
  readonly body: unknown;
  readonly headers: Headers;
}

/** Why nobody answered, by the code of the error below fetch's own. */
const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name cannot be looked up',
  ECONNRESET: 'the connection was cut',
  ETIMEDOUT: 'it cannot be reached',
  EHOSTUNREACH: 'it cannot be reached',
  UND_ERR_SOCKET: 'the connection was cut',
};

/** The HTTP API of a server, signed as the official libraries do. */
export class ApiClient {
  constructor(private readonly target: Target) {}

  /** @param path below `/apps/{id}`. @throws CliError when nobody answers. */
  async request(
    method: string,
    path: string,
    body?: object,
    query: Readonly<Record<string, string>> = {},
  ): Promise<ApiAnswer> {
    const { base, appId, key, secret } = this.target;
    const full = `/apps/${encodeURIComponent(appId)}${path}`;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const pairs: QueryPairs = Object.entries({
      auth_key: key,
      auth_timestamp: String(Math.floor(Date.now() / 1_000)),
      auth_version: '1.0',
      ...(text === undefined ? {} : { body_md5: bodyMd5(Buffer.from(text)) }),
      ...query,
    });
    const signature = signHttpRequest(secret, method, new URL(base).pathname.replace(/\/$/, '') + full, pairs);
    const search = new URLSearchParams({ ...Object.fromEntries(pairs), auth_signature: signature });
    return this.fetch(`${base}${full}?${search.toString()}`, {
      method,
      ...(text === undefined ? {} : { body: text, headers: { 'Content-Type': 'application/json' } }),
    });
  }

  /** @throws CliError when nobody answers. */
  async fetch(url: string, init: RequestInit = {}): Promise<ApiAnswer> {
    const { base, timeoutMs } = this.target;
    // Not AbortSignal.timeout, which keeps no process alive, as a socket that was closed before the request was written does not.
    const ending = new AbortController();
    const timer = setTimeout(() => ending.abort(), timeoutMs);
    try {
      const response = await fetch(url, { ...init, redirect: 'manual', signal: ending.signal });
      const text = await response.text();
      return { status: response.status, body: parsed(text), headers: response.headers };
    } catch (error) {
      const { cause } = error as Error & { cause?: NodeJS.ErrnoException };
      if (ending.signal.aborted) throw new CliError(`${base} does not answer within ${timeoutMs / 1_000} s`);
      const code = cause?.code ?? '';
      if (cause?.message === 'bad port') {
        throw new CliError(`${base}: browsers refuse to connect to this port, and so does this: choose another one`);
      }
      throw new CliError(`${base}: ${CAUSES[code] ?? cause?.message ?? String(error)}`, undefined, { code });
    } finally {
      clearTimeout(timer);
    }
  }

  /** The body of an answer that is a success. @throws CliError with the server's own sentence. */
  async call(method: string, path: string, body?: object, query?: Readonly<Record<string, string>>): Promise<unknown> {
    const answer = await this.request(method, path, body, query);
    if (answer.status === 200 && isOfGateway(answer)) return answer.body;
    if (answer.status === 200) {
      throw new CliError(
        `${this.target.base} answers, but it is not the gateway: the URL may be that of your web server; pogo doctor says more`,
      );
    }
    throw new CliError(`HTTP ${answer.status}: ${errorIn(answer)}`, undefined, {
      status: answer.status,
      body: answer.body,
    });
  }
}

/** A success of the gateway is an object; web servers answer 200 to anything, with a page. */
export function isOfGateway({ body }: Pick<ApiAnswer, 'body'>): boolean {
  return typeof body === 'object' && body !== null;
}

/** What the server says is wrong. */
export function errorIn({ body }: Pick<ApiAnswer, 'body'>): string {
  if (typeof body === 'object' && body !== null && 'error' in body) return String(body.error);
  return typeof body === 'string' ? body.slice(0, 200) : JSON.stringify(body);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
