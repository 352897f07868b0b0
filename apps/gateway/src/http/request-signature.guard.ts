import { Inject, Injectable, NotFoundException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { AppProvider, RateLimitService, type App } from '@pogo/hub';
import { bodyMd5, equalsInConstantTime, signHttpRequest } from '@pogo/pusher-protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config/gateway-config.js';
import { belowPrefix } from '../config/path-prefix.js';
import { ApiError } from './api-error.js';
import { announcedLength, readBody, takeArrivedBody } from './request-body.js';
import { SignedQuery, splitUrl } from './signed-query.js';
import type { SignedRequest } from './signed-request.js';

const SECONDS = /^\d{1,15}$/;

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
    private readonly rateLimits: RateLimitService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<SignedRequest>();
    const reply = http.getResponse<FastifyReply>();
    // As long as it is there: who resets the connection has none any more.
    const { remoteAddress } = request.raw.socket;
    try {
      await this.verify(request, reply);
    } catch (error) {
      if (error instanceof ApiError && error.getStatus() === 401) this.throttle(remoteAddress, request, reply);
      throw error;
    }
    return true;
  }

  private async verify(request: SignedRequest, reply: FastifyReply): Promise<void> {
    // With a prefix the API is served under it only.
    if (belowPrefix(request.originalUrl, this.config.pathPrefix) === undefined) throw new NotFoundException();
    const app = await this.apps.findById((request.params as { appId: string }).appId);
    if (app !== undefined) request.dialect = app.dialect;
    if (!app?.enabled) throw new ApiError(404, 'application not found');
    const [path, rawQuery] = splitUrl(request.originalUrl);
    const query = new SignedQuery(rawQuery);
    this.checkBeforeBody(app, query, request);
    const body = takeArrivedBody(request.raw, reply.raw) ?? (await this.readBody(request));
    if (body.length > 0 && !equalsInConstantTime(query.get('body_md5'), bodyMd5(body))) refuse('digest');
    if (!this.hasSigned(app, request.method, path, query)) refuse('signature');
    request.app = app;
    request.signedBody = body;
  }

  /** An address that goes on sending what nobody signed is told to wait. @throws ApiError 429 */
  private throttle(remoteAddress: string | undefined, { raw, headers }: SignedRequest, reply: FastifyReply): void {
    const forwardedFor = [headers['x-forwarded-for'] ?? []].flat().join(', ');
    const clientIp = this.config.trustedProxies.clientOf(raw.socket, forwardedFor || undefined, remoteAddress);
    const waitMs = this.rateLimits.takeUnauthorized(clientIp);
    if (waitMs === 0) return;
    const seconds = Math.ceil(waitMs / 1_000);
    void reply.header('Retry-After', seconds);
    throw new ApiError(429, `too many requests without a valid signature: the next is answered in ${seconds} s`);
  }

  private checkBeforeBody(app: App, query: SignedQuery, request: FastifyRequest): void {
    if (!equalsInConstantTime(query.get('auth_key'), app.key)) refuse('key');
    if (query.get('auth_version') !== '1.0') refuse('version');
    const timestamp = query.get('auth_timestamp');
    const age = Math.abs(Date.now() - Number(timestamp) * 1_000);
    if (!SECONDS.test(timestamp) || age > this.config.http.signatureMaxAgeMs) refuse('timestamp');
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

  private hasSigned(app: App, method: string, path: string, query: SignedQuery): boolean {
    const signature = query.get('auth_signature');
    const isSigned = (candidate: string) =>
      equalsInConstantTime(signature, signHttpRequest(app.secret, method, candidate, query.pairs));
    return isSigned(path) || this.otherPathsThatMayBeSigned(path).some(isSigned);
  }

  /** Some clients sign the decoded path instead of the raw one, and behind a path prefix some leave that out. */
  private otherPathsThatMayBeSigned(path: string): string[] {
    const { pathPrefix } = this.config;
    const bare = belowPrefix(path, pathPrefix) ?? path;
    const others = new Set([decoded(path), bare, decoded(bare)]);
    others.delete(path);
    return [...others];
  }
}

function refuse(suspect: Suspect): never {
  throw new ApiError(401, `authentication signature invalid: ${suspect}`);
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
