import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhenResult } from 'cockatiel';
import {
  CIRCUIT_OPEN,
  CONCURRENCY_LIMIT,
  isBroken,
  postFor,
  understand,
  type EndpointSignature,
} from './auth-message.js';
import type { ChannelAuthRequest, Denial } from './auth-provider.js';
import { exchange, type ExchangeTarget } from './http-exchange.js';

const FAILURES_UNTIL_OPEN = 5;
export const CIRCUIT_OPEN_MS = 10_000;

export interface AuthEndpointSettings {
  readonly timeoutMs: number;
  readonly maxConcurrent: number;
  readonly maxIdleSockets: number;
  readonly maxBodyBytes: number;
}

/** Hears how an endpoint is. */
export interface AuthEndpointWatch {
  /** Not asked for {@link CIRCUIT_OPEN_MS}, after a failure of the app's. `isAgain`: the probe has failed. */
  opened(endpoint: string, appId: string, isAgain: boolean): void;
  closed(endpoint: string): void;
}

/** What the breaker judges. */
interface Verdict {
  readonly answer: EndpointSignature | Denial;
  readonly appId: string;
  readonly isProbe: boolean;
}

/** One authorization endpoint: its connections, how many requests it gets at once, and its circuit breaker. */
export class AuthEndpoint implements ExchangeTarget {
  readonly url: URL;
  readonly agent: HttpAgent;
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
  isOpen = true;
  private readonly maxConcurrent: number;
  private underWay = 0;
  private notAskedUntil = 0;
  private hasFailed = false;
  private readonly breaker = circuitBreaker(
    handleWhenResult((verdict) => this.countsAsFailure(verdict as Verdict)),
    { halfOpenAfter: CIRCUIT_OPEN_MS, breaker: new ConsecutiveBreaker(FAILURES_UNTIL_OPEN) },
  );

  constructor(url: string, settings: AuthEndpointSettings, watch: AuthEndpointWatch) {
    this.url = new URL(url);
    this.timeoutMs = settings.timeoutMs;
    this.maxBodyBytes = settings.maxBodyBytes;
    this.maxConcurrent = settings.maxConcurrent;
    // Node takes 0 free sockets for its own default, and announces keep-alive wherever sockets are limited.
    const keepAlive = settings.maxIdleSockets > 0;
    this.agent = new (this.url.protocol === 'https:' ? HttpsAgent : HttpAgent)(
      keepAlive ? { keepAlive, maxFreeSockets: settings.maxIdleSockets, maxSockets: settings.maxConcurrent } : {},
    );
    // Without the query, which may have a secret in it.
    const name = this.url.origin + this.url.pathname;
    this.breaker.onBreak((reason) => {
      // By the clock that the breaker goes by.
      this.notAskedUntil = Date.now() + CIRCUIT_OPEN_MS;
      if ('value' in reason) watch.opened(name, (reason.value as Verdict).appId, this.hasFailed);
      this.hasFailed = true;
    });
    this.breaker.onReset(() => {
      this.hasFailed = false;
      watch.closed(name);
    });
  }

  /** No request is under way. */
  get isIdle(): boolean {
    return this.underWay === 0;
  }

  /** Asks about a subscription. Who cannot be asked about now is denied at once: nothing is made and nothing waits. */
  ask(request: ChannelAuthRequest): Denial | Promise<EndpointSignature | Denial> {
    if (this.isResting()) return CIRCUIT_OPEN;
    if (this.underWay >= this.maxConcurrent) return CONCURRENCY_LIMIT;
    const appId = request.app.id;
    const isProbe = this.breaker.state !== CircuitState.Closed;
    return this.breaker
      .execute(async (): Promise<Verdict> => ({ answer: await this.send(request), appId, isProbe }))
      .then(({ answer }) => answer);
  }

  /** Cuts all connections; whoever waits is denied. */
  close(): void {
    this.isOpen = false;
    this.agent.destroy();
  }

  private async send(request: ChannelAuthRequest): Promise<EndpointSignature | Denial> {
    this.underWay++;
    try {
      return understand(await exchange(this, postFor(request), () => this.underWay--));
    } catch (error) {
      this.underWay--;
      throw error;
    }
  }

  /** Open, or half-open with the probe under way: cockatiel would let the others wait for it. */
  private isResting(): boolean {
    const { state } = this.breaker;
    return state === CircuitState.HalfOpen || (state === CircuitState.Open && Date.now() < this.notAskedUntil);
  }

  /** What was asked before the breaker opened says nothing about now: only the probe does. */
  private countsAsFailure({ answer, isProbe }: Verdict): boolean {
    return isBroken(answer) && (isProbe || this.breaker.state === CircuitState.Closed);
  }
}
