import { bodyMd5, signHttpRequest, type QueryPairs, type SigningKey } from '@pogo/pusher-protocol';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Headers;
}

export interface RequestOverrides {
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Replaces a parameter after signing. */
  readonly tamper?: Readonly<Record<string, string>>;
  /** Seconds that the client's clock is off. */
  readonly clockSkew?: number;
  /** Path that is signed, when it is not the one requested. */
  readonly signedPath?: string;
}

/** The HTTP API as a publisher sees it, every request signed. */
export class HttpApi {
  constructor(
    private readonly base: string,
    private readonly app: SigningKey & { readonly id: string },
  ) {}

  /** Publishes one event. */
  publish(channel: string | string[], name: string, data: unknown, more: object = {}): Promise<Answer> {
    const target = typeof channel === 'string' ? { channel } : { channels: channel };
    return this.post('/events', { name, data, ...target, ...more });
  }

  post(path: string, body: unknown, overrides: RequestOverrides = {}): Promise<Answer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return this.request('POST', path, text, overrides);
  }

  get(path: string, query: Readonly<Record<string, string>> = {}, overrides: RequestOverrides = {}): Promise<Answer> {
    return this.request('GET', path, undefined, { ...overrides, query });
  }

  /** @param path below `/apps/{id}`. */
  async request(
    method: string,
    path: string,
    body: string | undefined,
    { query = {}, headers = {}, tamper = {}, clockSkew = 0, signedPath }: RequestOverrides = {},
  ): Promise<Answer> {
    const full = `/apps/${this.app.id}${path}`;
    const prefix = new URL(this.base).pathname.replace(/\/$/, '');
    const pairs: QueryPairs = Object.entries({
      auth_key: this.app.key,
      auth_timestamp: String(Math.floor(Date.now() / 1000) + clockSkew),
      auth_version: '1.0',
      ...(body === undefined || body === '' ? {} : { body_md5: bodyMd5(Buffer.from(body)) }),
      ...query,
    });
    const signature = signHttpRequest(this.app.secret, method, signedPath ?? prefix + full, pairs);
    const search = new URLSearchParams({ ...Object.fromEntries(pairs), auth_signature: signature, ...tamper });
    const response = await fetch(`${this.base}${full}?${search.toString()}`, {
      method,
      headers: { 'Content-Type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : parse(text), headers: response.headers };
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
