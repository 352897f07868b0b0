import { randomBytes } from 'node:crypto';
import { ApiClient, errorIn, isOfGateway, type ApiAnswer } from './api-client.js';
import { type CliError } from './context.js';
import {
  apiSentence,
  isUpOfGateway,
  openingSentence,
  serverSentence,
  skewSentence,
  transportSentence,
  upSentence,
} from './doctor-sentences.js';
import type { Target } from './target.js';
import { WsClient } from './ws-client.js';

const WRONG_PATH = 4005;
const isPusherCode = (code: number) => code >= 4_000 && code < 5_000 && code !== WRONG_PATH;

/** One thing that was looked at. */
export interface Finding {
  readonly check: 'server' | 'clock' | 'websocket' | 'publish' | 'delivery' | 'origin';
  readonly state: 'ok' | 'warning' | 'wrong' | 'skipped';
  /** What is wrong and which key to turn, or that it works. */
  readonly sentence: string;
}

export interface DoctorOptions {
  /** The page that clients are on: its connections are tried as well. */
  readonly origin?: string | undefined;
  readonly report?: (finding: Finding) => void;
}

/** Looks at a server as a client and as a publisher does, in the order in which things depend on each other. */
export class Doctor {
  private readonly findings: Finding[] = [];
  private readonly api: ApiClient;

  constructor(
    private readonly target: Target,
    private readonly options: DoctorOptions = {},
  ) {
    this.api = new ApiClient(target);
  }

  /** All findings; after what everything else needs is wrong there are no more. */
  async examine(): Promise<readonly Finding[]> {
    if (!(await this.examineServer())) return this.findings;
    const client = await this.examineWebSocket();
    try {
      await this.examinePublishing(client);
    } finally {
      client?.close();
    }
    await this.examineOrigin();
    return this.findings;
  }

  private add(check: Finding['check'], state: Finding['state'], sentence: string): void {
    const finding = { check, state, sentence };
    this.findings.push(finding);
    this.options.report?.(finding);
  }

  private async examineServer(): Promise<boolean> {
    const { base } = this.target;
    let answer: ApiAnswer;
    try {
      answer = await this.api.fetch(`${base}/up`);
    } catch (error) {
      this.add('server', 'wrong', transportSentence(base, error as CliError));
      return false;
    }
    const wrong = upSentence(base, answer) ?? serverSentence(answer);
    if (wrong === undefined) {
      this.add('server', 'ok', `${base} answers, and is serving`);
    } else if (!isUpOfGateway(answer) && (await this.isGatewayBelowApp())) {
      this.add(
        'server',
        'ok',
        `${base} leads clients to the gateway; /up there is of another server, your application`,
      );
    } else {
      this.add('server', 'wrong', wrong);
      return false;
    }
    const date = answer.headers.get('date');
    if (date !== null) this.add('clock', ...skewSentence(Date.parse(date) - Date.now()));
    return true;
  }

  /** On the host of an application only /app and /apps are the gateway's, and /up may be the application's own. */
  private async isGatewayBelowApp(): Promise<boolean> {
    const { base, key, timeoutMs } = this.target;
    const opening = await WsClient.open(base, key, { timeoutMs });
    if (opening.outcome === 'established') opening.client.close();
    // What it says of a wrong path is better said of /up.
    return opening.outcome === 'established' || (opening.outcome === 'refused' && isPusherCode(opening.code));
  }

  private async examineWebSocket(): Promise<WsClient | undefined> {
    const { base, key, timeoutMs } = this.target;
    const opening = await WsClient.open(base, key, { timeoutMs });
    if (opening.outcome !== 'established') {
      this.add('websocket', 'wrong', openingSentence(base, opening));
      return undefined;
    }
    this.add('websocket', 'ok', `clients can connect with the key (socket id ${opening.client.socketId})`);
    return opening.client;
  }

  private async examinePublishing(client: WsClient | undefined): Promise<void> {
    const { timeoutMs } = this.target;
    const channel = `pogo-doctor-${randomBytes(6).toString('hex')}`;
    const isSubscribed = (await client?.subscribe(channel, timeoutMs)) ?? false;
    const startedAt = performance.now();
    const arrival = client?.receive((message) => message.event === 'doctor' && message.channel === channel, timeoutMs);
    let answer: ApiAnswer;
    try {
      answer = await this.api.request('POST', '/events', { name: 'doctor', channel, data: '{}' });
    } catch (error) {
      this.add('publish', 'wrong', (error as Error).message);
      return;
    }
    if (answer.status !== 200 || !isOfGateway(answer)) {
      this.add('publish', 'wrong', apiSentence(this.target, answer.status, errorIn(answer)));
      return;
    }
    this.add('publish', 'ok', 'your application can publish with the secret');
    if (!isSubscribed || arrival === undefined) {
      this.add('delivery', 'skipped', 'not tried, because no client could subscribe');
    } else if ((await arrival) === undefined) {
      this.add(
        'delivery',
        'wrong',
        'what was published did not reach the client: several gateways that do not share a Redis (set redis_url on all of them), or the URL leads publishers to another server than clients',
      );
    } else {
      this.add('delivery', 'ok', `an event reached a client after ${Math.round(performance.now() - startedAt)} ms`);
    }
  }

  private async examineOrigin(): Promise<void> {
    const { origin } = this.options;
    if (origin === undefined) return;
    const { base, key, timeoutMs } = this.target;
    const opening = await WsClient.open(base, key, { timeoutMs, origin });
    if (opening.outcome === 'established') {
      opening.client.close();
      this.add('origin', 'ok', `pages of ${origin} may connect`);
    } else {
      this.add('origin', 'wrong', openingSentence(base, opening, origin));
    }
  }
}
