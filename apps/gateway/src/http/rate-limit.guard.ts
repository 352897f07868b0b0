import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { RateLimitService, type App } from '@pogo/hub';
import type { FastifyReply } from 'fastify';
import { ApiError } from './api-error.js';
import type { SignedRequest } from './signed-request.js';

/** Counts signed requests against the app's limit. Stands behind the signature guard: nobody else spends its budget. */
@Injectable()
export class RateLimitGuard implements CanActivate {
  constructor(private readonly rateLimits: RateLimitService) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const http = context.switchToHttp();
    const { app } = http.getRequest<SignedRequest>();
    // Most apps have no limit, and a guard that answers at once costs no promise.
    return app?.httpRateLimit === undefined || this.take(app, http.getResponse<FastifyReply>());
  }

  private async take(app: App, reply: FastifyReply): Promise<boolean> {
    const answer = await this.rateLimits.takeHttpRequest(app);
    if (answer === undefined) return true;
    const { limit, remaining, allowed, retryAfterMs } = answer;
    void reply.headers({
      'X-RateLimit-Limit': limit,
      'X-RateLimit-Remaining': remaining,
      'X-RateLimit-Reset': Math.ceil((Math.max(1, limit) - remaining) / limit),
    });
    if (allowed) return true;
    void reply.header('Retry-After', Math.max(1, Math.ceil(retryAfterMs / 1_000)));
    throw new ApiError(429, `Rate limit exceeded: at most ${limit} requests per second`);
  }
}
