import {
  Catch,
  HttpException,
  Injectable,
  Logger,
  NotFoundException,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { UnavailableError } from '@pogo/hub';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { KnownRoutes } from './known-routes.js';

/** Words every error of the HTTP edge: `{"error": sentence}`, publish refusals with their `status`. */
@Catch()
@Injectable()
export class PusherHttpFilter implements ExceptionFilter {
  private readonly logger = new Logger(PusherHttpFilter.name);

  constructor(private readonly routes: KnownRoutes) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    if (reply.raw.destroyed || reply.sent) return;
    const [status, body] = this.render(error, http.getRequest<FastifyRequest>(), reply);
    void reply.status(status).type('application/json').send(body);
  }

  private render(error: unknown, request: FastifyRequest, reply: FastifyReply): [status: number, body: object] {
    if (error instanceof NotFoundException) return this.renderUnknownRoute(request, reply);
    if (error instanceof HttpException) {
      const response = error.getResponse();
      const isOurs = typeof response === 'object' && 'error' in response && !('statusCode' in response);
      return [error.getStatus(), isOurs ? response : { error: error.message }];
    }
    if (error instanceof UnavailableError) return [503, { error: 'the state of the cluster is unavailable' }];
    if (isClientFault(error)) return [error.statusCode, { error: error.message }];
    this.logger.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return [500, { error: 'internal server error' }];
  }

  private renderUnknownRoute(request: FastifyRequest, reply: FastifyReply): [status: number, body: object] {
    const [path = '/'] = request.url.split('?', 1);
    const methods = this.routes.methodsOf(path);
    if (methods.length === 0 || methods.includes(request.method)) return [404, { error: 'not found' }];
    void reply.header('Allow', methods.join(', '));
    return [405, { error: `method not allowed: use ${methods.join(' or ')}` }];
  }
}

/** Fastify's own refusals, such as a URL that cannot be decoded. */
function isClientFault(error: unknown): error is Error & { readonly statusCode: number } {
  return (
    error instanceof Error &&
    'statusCode' in error &&
    typeof error.statusCode === 'number' &&
    error.statusCode >= 400 &&
    error.statusCode < 500
  );
}
