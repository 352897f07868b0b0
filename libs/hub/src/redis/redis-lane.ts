import { UnavailableError } from '../unavailable-error.js';
import type { RedisLink } from './redis-link.js';
import { redirectionIn, type Redirection } from './redis-redirection.js';

/** Between two attempts, while a slot is on its way. */
const PAUSE_MS = 50;

interface Request {
  readonly send: (link: RedisLink) => Promise<unknown>;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
}

export interface LaneSettings {
  /** To the slot's owner as it is known now; undefined: nobody. */
  readonly link: () => RedisLink | undefined;
  /** A server has turned a command away. */
  readonly redirected: (redirection: Redirection) => void;
  /** How long a command waits for its slot to arrive. */
  readonly patienceMs: number;
  /** Nothing is under way any more. */
  readonly onIdle: () => void;
}

/**
 * The commands of one slot, in order: what a server turns away, because the slot has moved or is moving, is sent again
 * before what was asked for later. It was not done.
 */
export class RedisLane {
  private inFlight = 0;
  /** In the order in which they were asked for, because answers come in that order. */
  private turnedAway: Request[] = [];
  /** Behind those. */
  private waiting: Request[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly settings: LaneSettings) {}

  run(send: Request['send']): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const request = { send, resolve, reject, deadline: performance.now() + this.settings.patienceMs };
      if (this.turnedAway.length > 0) this.waiting.push(request);
      else this.send(request);
    });
  }

  private send(request: Request): void {
    const link = this.settings.link();
    this.inFlight++;
    (link === undefined ? nobody() : request.send(link))
      .then(request.resolve, (error: unknown) => this.failed(request, error))
      .finally(() => {
        this.inFlight--;
        this.settle();
      });
  }

  private failed(request: Request, error: unknown): void {
    const redirection = redirectionIn(error);
    if (redirection === undefined) {
      request.reject(error);
      return;
    }
    this.settings.redirected(redirection);
    this.turnedAway.push(request);
  }

  private settle(): void {
    if (this.inFlight > 0 || this.timer !== undefined) return;
    if (this.turnedAway.length > 0) this.timer = setTimeout(() => this.sendAgain(), PAUSE_MS);
    else this.settings.onIdle();
  }

  private sendAgain(): void {
    this.timer = undefined;
    const now = performance.now();
    const requests = [...this.turnedAway, ...this.waiting];
    this.turnedAway = [];
    this.waiting = [];
    const isReachable = this.settings.link()?.isOpen === true;
    for (const request of requests) {
      if (request.deadline < now) request.reject(new UnavailableError('the slot is moving', 'not_done'));
      else if (isReachable) this.send(request);
      else this.turnedAway.push(request);
    }
    this.settle();
  }
}

function nobody(): Promise<never> {
  return Promise.reject(new UnavailableError('Redis is not connected', 'not_done'));
}
