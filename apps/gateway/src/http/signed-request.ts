import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { App } from '@pogo/hub';
import type { DialectName } from '@pogo/pusher-protocol';
import type { FastifyRequest } from 'fastify';
import { UnreadableBodyError } from './api-error.js';

/** A request whose signature has been verified. The guard sets all of it; handlers behind it may rely on it. */
export interface SignedRequest extends FastifyRequest {
  /** Of the app that is named, also when it has not signed: refusals speak it. */
  dialect?: DialectName;
  app?: App;
  /** The body as it was received and signed. */
  signedBody?: Buffer;
}

/** The app that signed `request`. */
export function appOf({ app }: SignedRequest): App {
  if (app === undefined) throw new Error('only a request that has passed the RequestSignatureGuard has an app');
  return app;
}

/** The app that signed the request. */
export const CurrentApp = createParamDecorator((_: unknown, context: ExecutionContext): App =>
  appOf(context.switchToHttp().getRequest<SignedRequest>()),
);

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The signed body as JSON, parsed once. @throws ApiError 400 */
export function jsonOf({ signedBody }: SignedRequest): unknown {
  try {
    return JSON.parse(utf8.decode(signedBody));
  } catch {
    throw new UnreadableBodyError(400, 'The request body is not valid JSON in UTF-8');
  }
}

/** The signed body as it is. @throws ApiError 400 */
export function textOf({ signedBody }: SignedRequest): string {
  try {
    return utf8.decode(signedBody);
  } catch {
    throw new UnreadableBodyError(400, 'The request body is not valid UTF-8');
  }
}
