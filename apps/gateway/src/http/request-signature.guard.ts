import { Inject, Injectable, NotFoundException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { AppProvider, type App } from '@pogo/hub';
import { bodyMd5, equalsInConstantTime, signHttpRequest, type QueryPairs } from '@pogo/pusher-protocol';
import type { FastifyRequest } from 'fastify';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config/gateway-config.js';
import { ApiError } from './api-error.js';
import { announcedLength, readBody } from './request-body.js';
import type { SignedRequest } from './signed-request.js';

type Suspect = 'key' | 'version' | 'timestamp' | 'digest' | 'signature';

/**
 * Lets a request pass when the app it names has signed it. What is cheap to refuse is refused before the body is read,
 * and nothing of the body is looked into before the digest over its bytes and the signature have been verified.
 */
@Injectable()
export class RequestSignatureGuard implements CanActivate {
  constructor(
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    private readonly apps: AppProvider,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<SignedRequest>();
    // With a prefix the API is served under it only.
    if (!request.originalUrl.startsWith(`${this.config.pathPrefix}/`)) throw new NotFoundException();
    const app = await this.findApp(request);
    const [path, query] = splitUrl(request.originalUrl);
    const parameters = parameterMap(query);
    this.checkBeforeBody(app, parameters, request);
    const body = await this.readBody(request);
    if (body.length > 0 && !equalsInConstantTime(parameters.get('body_md5') ?? '', bodyMd5(body))) refuse('digest');
    this.checkSignature(app, request.method, path, query, parameters.get('auth_signature') ?? '');
    request.app = app;
    request.signedBody = body;
    return true;
  }

  private async findApp(request: FastifyRequest): Promise<App> {
    const { appId } = request.params as { appId: string };
    const app = await this.apps.findById(appId);
    if (!app?.enabled) throw new ApiError(404, 'application not found');
    return app;
  }

  private checkBeforeBody(app: App, parameters: ReadonlyMap<string, string>, request: FastifyRequest): void {
    if (!equalsInConstantTime(parameters.get('auth_key') ?? '', app.key)) refuse('key');
    if (parameters.get('auth_version') !== '1.0') refuse('version');
    const timestamp = parameters.get('auth_timestamp') ?? '';
    const age = Math.abs(Date.now() - Number(timestamp) * 1_000);
    if (!/^\d{1,15}$/.test(timestamp) || age > this.config.http.signatureMaxAgeMs) refuse('timestamp');
    const length = announcedLength(request.raw);
    if (length !== undefined && length > this.config.http.maxBodyBytes) this.refuseTooLarge();
  }

  private async readBody(request: FastifyRequest): Promise<Buffer> {
    if (announcedLength(request.raw) === 0) return Buffer.alloc(0);
    return (await readBody(request.raw, this.config.http.maxBodyBytes)) ?? this.refuseTooLarge();
  }

  private refuseTooLarge(): never {
    throw new ApiError(413, `The request body exceeds the allowed maximum (${this.config.http.maxBodyBytes} bytes)`);
  }

  private checkSignature(app: App, method: string, path: string, query: QueryPairs, signature: string): void {
    for (const candidate of this.pathsThatMayBeSigned(path)) {
      if (equalsInConstantTime(signature, signHttpRequest(app.secret, method, candidate, query))) return;
    }
    refuse('signature');
  }

  /** The raw path; some clients sign the decoded one, and behind a path prefix some leave that out. */
  private pathsThatMayBeSigned(path: string): Set<string> {
    const { pathPrefix } = this.config;
    const bare = pathPrefix !== '' && path.startsWith(`${pathPrefix}/`) ? path.slice(pathPrefix.length) : path;
    return new Set([path, decoded(path), bare, decoded(bare)]);
  }
}

function refuse(suspect: Suspect): never {
  throw new ApiError(401, `authentication signature invalid: ${suspect}`);
}

function splitUrl(url: string): [path: string, query: QueryPairs] {
  const mark = url.indexOf('?');
  if (mark < 0) return [url, []];
  return [url.slice(0, mark), [...new URLSearchParams(url.slice(mark + 1))]];
}

/** Of a repeated parameter the first counts; the signature covers all of them. */
function parameterMap(query: QueryPairs): ReadonlyMap<string, string> {
  return new Map(query.map(([key, value]) => [key.toLowerCase(), value] as const).reverse());
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
