import { Injectable, Logger } from '@nestjs/common';
import type { App, Rate } from '../app/app.js';
import { HubOptions } from '../hub-options.js';
import { LogPause } from '../log-pause.js';
import { UnavailableError } from '../unavailable-error.js';
import { BucketTable } from './bucket-table.js';
import { addressBlock } from './client-address.js';
import { RateLimitStore, type RateLimitAnswer } from './rate-limit-store.js';

/** Requests of one address that may fail to authenticate: enough for publishers that are being set up behind one NAT. */
export const UNAUTHORIZED_RATE: Rate = { perSecond: 10, burst: 100 };

export interface HttpRateLimitAnswer extends RateLimitAnswer {
  /** Requests per second the app may make. */
  readonly limit: number;
}

/** Which limits exist and what happens when their store is away. */
@Injectable()
export class RateLimitService {
  private readonly logger = new Logger(RateLimitService.name);
  private readonly pause = new LogPause();

  private readonly handshakes = new BucketTable();
  private readonly unauthorized = new BucketTable();

  constructor(
    private readonly store: RateLimitStore,
    private readonly options: HubOptions,
  ) {}

  /**
   * Counts one handshake of a client; answers how many ms it has to wait, or 0. Of this node alone, like everything about
   * addresses. A client without an IP, on a Unix socket, is never limited.
   */
  takeHandshake(clientIp: string | undefined): number {
    const { handshakeRate } = this.options;
    if (handshakeRate === undefined || clientIp === undefined) return 0;
    return this.handshakes.take(addressBlock(clientIp), handshakeRate).retryAfterMs;
  }

  /**
   * Counts one HTTP request that could not be authenticated; answers how many ms its sender should wait, or 0. Requests
   * that are signed never ask: an attacker must not be able to lock out a publisher behind the same address.
   */
  takeUnauthorized(clientIp: string | undefined): number {
    return this.unauthorized.take(addressBlock(clientIp ?? 'unix'), UNAUTHORIZED_RATE).retryAfterMs;
  }

  /** Counts one signed HTTP request of `app`; undefined when the app has no limit. */
  async takeHttpRequest(app: App): Promise<HttpRateLimitAnswer | undefined> {
    const limit = app.httpRateLimit;
    if (limit === undefined) return undefined;
    try {
      const answer = await this.store.take(`http/${app.id}`, { perSecond: limit, burst: Math.max(1, limit) });
      return { ...answer, limit };
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      // The limit protects the server from a signed, known publisher; refusing every publish would hurt more.
      if (this.pause.isOver()) {
        this.logger.warn(`rate limit store unavailable, requests are let through: ${error.message}`);
      }
      return undefined;
    }
  }
}
