import type { SignedInUser } from '@pogo/pusher-protocol';
import type { Connection } from '../connection.js';
import {
  AuthProvider,
  type ChannelAuthDecision,
  type ChannelAuthRequest,
  type UserAuthDecision,
  type UserAuthRequest,
} from '../auth/auth-provider.js';
import { AuthService, type ChannelGrant } from '../auth/auth.service.js';
import type { HandshakeNeeds } from '../auth/handshake.js';
import { HubEvents, type HubEventMap } from '../hub-events.js';
import { HubOptions } from '../hub-options.js';
import { TestCluster } from './hub-harness.js';

/** Somebody else's: answers what it is told to, of whatever type. */
export class ScriptedAuthProvider extends AuthProvider {
  answer: () => unknown = () => ({ decision: 'not_mine' });
  needs: () => unknown = () => ({});
  readonly asked: unknown[] = [];

  authorizeChannel(request: ChannelAuthRequest): ChannelAuthDecision {
    this.asked.push(request);
    return this.answer() as ChannelAuthDecision;
  }

  authenticateUser(request: UserAuthRequest): UserAuthDecision {
    this.asked.push(request);
    return this.answer() as UserAuthDecision;
  }

  override handshakeNeeds(): HandshakeNeeds {
    return this.needs() as HandshakeNeeds;
  }
}

/** An auth service that asks a scripted provider about one connection. */
export class AuthHarness {
  readonly provider = new ScriptedAuthProvider();
  readonly service: AuthService;
  readonly connection: Connection;
  /** The events of the hub about it. */
  readonly failed: HubEventMap['authFailed'][] = [];
  private readonly cluster = new TestCluster();

  constructor() {
    const events = new HubEvents();
    events.on('authFailed', (event) => this.failed.push(event));
    this.service = new AuthService(this.provider, new HubOptions({ authTimeoutMs: 5 }), events);
    this.connection = this.cluster.node(0).connect().connection;
  }

  subscribe(channel: string, more: object = {}): Promise<ChannelGrant> {
    return this.service.authorizeChannel(this.connection, { event: 'pusher:subscribe', channel, ...more });
  }

  signIn(): Promise<SignedInUser> {
    return this.service.authenticateUser(this.connection, { event: 'pusher:signin', auth: '', userData: '{}' });
  }

  /** What was counted, without the zeros. */
  get counted(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.service.failureCounts()).filter(([, count]) => count > 0));
  }

  close(): Promise<void> {
    return this.cluster.close();
  }
}

/** The error of a promise that must not be fulfilled. */
export async function refusalOf(promise: Promise<unknown>): Promise<unknown> {
  const answer = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!('error' in answer)) throw new Error(`nobody refused: ${JSON.stringify(answer.value)}`);
  return answer.error;
}

/** An object with a field that throws when it is read. */
export function unreadable(field: string, rest: object = {}): object {
  return Object.defineProperty({ ...rest }, field, {
    enumerable: true,
    get() {
      throw new Error(`no ${field} for you`);
    },
  });
}
