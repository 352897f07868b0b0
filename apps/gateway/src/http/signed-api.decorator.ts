import { applyDecorators, Controller, UseFilters, UseGuards } from '@nestjs/common';
import { PusherHttpFilter } from './pusher-http.filter.js';
import { RateLimitGuard } from './rate-limit.guard.js';
import { RequestSignatureGuard } from './request-signature.guard.js';

/** A controller of the signed API, `/apps/{id}/{path}`: signature, then rate limit, errors as the API words them. */
export function SignedApi(path = '') {
  return applyDecorators(
    Controller(`apps/:appId/${path}`),
    UseGuards(RequestSignatureGuard, RateLimitGuard),
    UseFilters(PusherHttpFilter),
  );
}
