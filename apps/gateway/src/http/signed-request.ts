import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { App } from '@pogo/hub';
import type { FastifyRequest } from 'fastify';
import { ApiError } from './api-error.js';

/** A request whose signature has been verified. The guard sets both; handlers behind it may rely on them. */
export interface SignedRequest extends FastifyRequest {
  app?: App;
  /** The body as it was received and signed. */
  signedBody?: Buffer;
}

/** The app that signed the request. */
export const CurrentApp = createParamDecorator((_: unknown, context: ExecutionContext): App => {
  const { app } = context.switchToHttp().getRequest<SignedRequest>();
  if (app === undefined) throw new Error('@CurrentApp() needs the RequestSignatureGuard');
  return app;
});

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The signed body as JSON, parsed once. @throws ApiError 400 */
export const SignedJson = createParamDecorator((_: unknown, context: ExecutionContext): unknown => {
  const { signedBody } = context.switchToHttp().getRequest<SignedRequest>();
  try {
    return JSON.parse(utf8.decode(signedBody));
  } catch {
    throw new ApiError(400, 'The request body is not valid JSON in UTF-8');
  }
});
