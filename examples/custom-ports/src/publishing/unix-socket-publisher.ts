import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { bodyMd5, signHttpRequest, type QueryPairs } from 'pogo-gateway/protocol';

interface AppKeys {
  readonly id: string;
  readonly key: string;
  readonly secret: string;
}

/** Publishes through the gateway's Unix socket: the signed HTTP API without TCP, for a process on the same machine. */
export class UnixSocketPublisher {
  constructor(
    private readonly socketPath: string,
    private readonly app: AppKeys,
  ) {}

  /** Resolves to the HTTP status. */
  async publish(channel: string, name: string, data: unknown): Promise<number> {
    const body = JSON.stringify({ name, channel, data: JSON.stringify(data) });
    const path = `/apps/${this.app.id}/events`;
    const pairs: QueryPairs = [
      ['auth_key', this.app.key],
      ['auth_timestamp', String(Math.floor(Date.now() / 1_000))],
      ['auth_version', '1.0'],
      ['body_md5', bodyMd5(Buffer.from(body))],
    ];
    const query = new URLSearchParams(Object.fromEntries(pairs));
    query.set('auth_signature', signHttpRequest(this.app.secret, 'POST', path, pairs));
    const call = request({ socketPath: this.socketPath, method: 'POST', path: `${path}?${query.toString()}` });
    call.end(body);
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    answer.resume();
    await once(answer, 'end');
    return answer.statusCode ?? 0;
  }
}
