import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { App } from '../app/app.js';
import { HubEvents } from '../hub-events.js';
import { HubOptions } from '../hub-options.js';
import { AuthEndpoints } from './auth-endpoints.js';
import { CIRCUIT_OPEN_MS } from './auth-endpoint.js';
import { CONCURRENCY_LIMIT, FORWARDED_HEADERS, type EndpointSignature } from './auth-message.js';
import {
  AuthProvider,
  type ChannelAuthDecision,
  type ChannelAuthRequest,
  type Denial,
  type UserAuthDecision,
} from './auth-provider.js';
import { NO_NEEDS, type HandshakeNeeds } from './handshake.js';
import { decideBySignature } from './signature-auth-provider.js';

const NOT_MINE = { decision: 'not_mine' } as const;
const NEEDS: HandshakeNeeds = { headers: FORWARDED_HEADERS };

/**
 * Asks the app's `authEndpoint` about clients that bring no signature. The endpoint signs as it would for the client, and
 * its signature is verified like a client's own. Whatever else it answers, and no answer, denies.
 */
@Injectable()
export class HttpAuthProvider extends AuthProvider implements OnApplicationShutdown {
  private readonly logger = new Logger(HttpAuthProvider.name);
  private readonly endpoints: AuthEndpoints;

  constructor(options: HubOptions, events: HubEvents) {
    super();
    const settings = {
      timeoutMs: options.authTimeoutMs,
      maxConcurrent: options.maxConcurrentAuth,
      maxIdleSockets: options.maxIdleAuthSockets,
      maxBodyBytes: options.maxAuthBodyBytes,
    };
    this.endpoints = new AuthEndpoints(settings, {
      opened: (endpoint, appId, isAgain) => {
        if (!isAgain) {
          const seconds = CIRCUIT_OPEN_MS / 1_000;
          this.logger.warn(
            `authorization endpoint ${endpoint} keeps failing: asked once every ${seconds} s from now on`,
          );
        }
        events.emit('authCircuitOpened', { appId, endpoint });
      },
      closed: (endpoint) => this.logger.log(`authorization endpoint ${endpoint} answers again`),
    });
  }

  authorizeChannel(request: ChannelAuthRequest): ChannelAuthDecision | Promise<ChannelAuthDecision> {
    const { authEndpoint } = request.app;
    if (authEndpoint === undefined || request.auth !== undefined) return NOT_MINE;
    const answer = this.endpoints.get(authEndpoint)?.ask(request) ?? CONCURRENCY_LIMIT;
    return 'decision' in answer ? answer : answer.then((late) => decide(request, late));
  }

  authenticateUser(): UserAuthDecision {
    return NOT_MINE;
  }

  override handshakeNeeds(app: App): HandshakeNeeds {
    return app.authEndpoint === undefined ? NO_NEEDS : NEEDS;
  }

  onApplicationShutdown(): void {
    this.endpoints.close();
  }
}

/** Only what the endpoint signed counts: the client's own `channel_data` is nobody's word. */
function decide(
  { app, socketId, handshake, channel, user }: ChannelAuthRequest,
  answer: EndpointSignature | Denial,
): ChannelAuthDecision {
  if ('decision' in answer) return answer;
  const request = { app, socketId, handshake, channel, ...answer };
  return decideBySignature(user === undefined ? request : { ...request, user });
}
