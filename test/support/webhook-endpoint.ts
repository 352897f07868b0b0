import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';

export interface ReceivedWebhook {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly events: readonly WebhookJson[];
}

export interface WebhookJson {
  readonly name: string;
  readonly channel: string;
  readonly user_id?: string;
  readonly subscription_count?: number;
}

/** An application that is told by webhooks, on a free port of the loopback interface. */
export class WebhookEndpoint {
  /** Those that it has taken. */
  readonly taken: ReceivedWebhook[] = [];
  /** Requests, those that it has refused as well. */
  requests = 0;
  /** What it answers from now on; undefined: nothing. */
  status: number | undefined = 200;
  /** Called with each that it takes. */
  onTaken: (webhook: ReceivedWebhook) => void = () => undefined;
  private readonly waiting: (() => void)[] = [];

  private constructor(private readonly server: Server) {}

  static async start(port = 0): Promise<WebhookEndpoint> {
    const server = createServer();
    const endpoint = new WebhookEndpoint(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        endpoint.requests++;
        if (endpoint.status === 200) {
          const { events } = JSON.parse(body) as { events: WebhookJson[] };
          const webhook = { headers: request.headers, body, events };
          endpoint.taken.push(webhook);
          endpoint.onTaken(webhook);
        }
        if (endpoint.status !== undefined) response.writeHead(endpoint.status, { Location: '/elsewhere' }).end('ok');
        for (const resolve of endpoint.waiting.splice(0)) resolve();
      });
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return endpoint;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/webhooks`;
  }

  /** Events that it has taken, in order. */
  get events(): readonly WebhookJson[] {
    return this.taken.flatMap(({ events }) => events);
  }

  /** `name channel`, and the user or the number. */
  get words(): readonly string[] {
    return this.events.map(wordOf);
  }

  /** Resolves when `isTrue`; looks after each request. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /** Resolves when it has taken the event. */
  has(word: string): Promise<void> {
    return this.until(() => this.words.includes(word));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    if (!this.server.listening) return;
    this.server.close();
    await once(this.server, 'close');
  }
}

export function wordOf({ name, channel, user_id: userId, subscription_count: count }: WebhookJson): string {
  return [name, channel, userId, count].filter((part) => part !== undefined).join(' ');
}
