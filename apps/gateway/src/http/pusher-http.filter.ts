import {
  Catch,
  HttpException,
  Inject,
  Injectable,
  Logger,
  NotFoundException,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { AppDefaults, UnavailableError } from '@pogo/hub';
import type { DialectName } from '@pogo/pusher-protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config/gateway-config.js';
import { belowPrefix } from '../config/path-prefix.js';
import { KnownRoutes } from './known-routes.js';
import { reverbRefusal } from './reverb-answer.js';
import type { SignedRequest } from './signed-request.js';

interface Refusal {
  readonly error: string;
  readonly status?: number;
}

/**
 * Words every error of the HTTP edge: `{"error": sentence}`, publish refusals with their `status`; to apps that speak
 * `reverb` in plain text. Where there is no app, the server's own dialect counts.
 */
@Catch()
@Injectable()
export class PusherHttpFilter implements ExceptionFilter {
  private readonly logger = new Logger(PusherHttpFilter.name);
  private readonly dialect: DialectName;

  constructor(
    private readonly routes: KnownRoutes,
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    appDefaults: AppDefaults,
  ) {
    this.dialect = appDefaults.dialect;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    if (reply.raw.destroyed || reply.sent) return;
    const request = http.getRequest<SignedRequest>();
    const [status, body] = this.render(error, request, reply);
    if ((request.dialect ?? this.dialect) === 'pusher') {
      void reply.status(status).type('application/json').send(body);
    } else {
      const { appId = '' } = request.params as { readonly appId?: string };
      const [reverbStatus, text] = reverbRefusal(error, status, body.error, appId);
      void reply.status(reverbStatus).type('text/plain; charset=utf-8').send(text);
    }
  }

  private render(error: unknown, request: FastifyRequest, reply: FastifyReply): [status: number, body: Refusal] {
    if (error instanceof NotFoundException) return this.renderUnknownRoute(request, reply);
    if (error instanceof HttpException) {
      const response = error.getResponse();
      const isOurs = typeof response === 'object' && 'error' in response && !('statusCode' in response);
      return [error.getStatus(), isOurs ? (response as Refusal) : { error: error.message }];
    }
    if (error instanceof UnavailableError)
      return [503, { error: 'temporarily unavailable: what the answer depends on cannot be reached' }];
    if (isClientFault(error)) return [error.statusCode, { error: error.message }];
    this.logger.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return [500, { error: 'internal server error' }];
  }

  private isHandshake({ method, originalUrl }: FastifyRequest): boolean {
    return method === 'GET' && HANDSHAKE_PATH.test(belowPrefix(originalUrl, this.config.pathPrefix) ?? '');
  }

  private renderUnknownRoute(request: FastifyRequest, reply: FastifyReply): [status: number, body: Refusal] {
    if (this.isHandshake(request)) {
      void reply.headers({ Upgrade: 'websocket', Connection: 'Upgrade, close' });
      return [426, { error: UPGRADE_REQUIRED }];
    }
    const [path = '/'] = request.url.split('?', 1);
    const methods = this.routes.methodsOf(path);
    if (methods.length === 0 || methods.includes(request.method)) return [404, { error: 'not found' }];
    void reply.header('Allow', methods.join(', '));
    return [405, { error: `method not allowed: use ${methods.join(' or ')}` }];
  }
}

/** What a client's handshake becomes behind a proxy that does not know WebSocket: the most frequent fault in setting one up. */
const UPGRADE_REQUIRED =
  'this is where WebSockets connect; no Upgrade header came: a proxy in between has to hand on Upgrade and Connection';
const HANDSHAKE_PATH = /^\/app\/[^/?]+(?:\?|$)/;

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
