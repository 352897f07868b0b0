import { Injectable, Logger } from '@nestjs/common';
import {
  channelTooLong,
  memberLimitBroken,
  parseChannelName,
  PusherError,
  PusherErrors,
  SubscriptionError,
  type ChannelName,
  type Member,
  type SigninMessage,
  type SignedInUser,
  type SubscribeMessage,
} from '@pogo/pusher-protocol';
import type { Connection } from '../connection.js';
import { errorText } from '../error-text.js';
import { HubEvents } from '../hub-events.js';
import { HubOptions } from '../hub-options.js';
import { LogPause } from '../log-pause.js';
import type { App } from '../app/app.js';
import { AUTH_FAILURES, AuthProvider, type AuthFailure, type Denial } from './auth-provider.js';
import {
  checkedChannelDecision,
  checkedUserDecision,
  failureOf,
  FAILED,
  MISSING_CHANNEL_DATA,
  MISSING_SIGNATURE,
  NOBODY,
  TOOK_TOO_LONG,
  UNDECIDED,
} from './decisions.js';
import { NO_HANDSHAKE, type Handshake } from './handshake.js';

/** A subscription that may go ahead. */
export interface ChannelGrant {
  readonly channel: ChannelName;
  /** Present exactly on presence channels. */
  readonly member?: Member;
}

/** Decides who may do what; asks the {@link AuthProvider} where the protocol wants authorization, and fails closed. */
@Injectable()
export class AuthService {
  private readonly logger = new Logger(AuthService.name);
  private readonly pause = new LogPause();
  private readonly failures = new Map<AuthFailure, number>();

  constructor(
    private readonly provider: AuthProvider,
    private readonly options: HubOptions,
    private readonly events: HubEvents,
  ) {}

  /** Who was not let in since the start, by reason; a copy. */
  failureCounts(): Record<AuthFailure, number> {
    const counts = AUTH_FAILURES.map((failure) => [failure, this.failures.get(failure) ?? 0]);
    return Object.fromEntries(counts) as Record<AuthFailure, number>;
  }

  /**
   * What to keep of a client's handshake. A provider that cannot say keeps nothing.
   * @param find the value of a header (by its lower-case name) or of a query parameter.
   */
  handshakeOf(app: App, clientIp: string | undefined, find: HandshakeParts): Handshake {
    try {
      const { headers = [], query = [] } = this.provider.handshakeNeeds(app);
      return { clientIp, headers: picked(headers, find.header), query: picked(query, find.parameter) };
    } catch (error) {
      this.logError(error);
      return { ...NO_HANDSHAKE, clientIp };
    }
  }

  /** @throws SubscriptionError when the client may not subscribe. */
  async authorizeChannel(connection: Connection, message: SubscribeMessage): Promise<ChannelGrant> {
    const channel = channelOf(connection, message.channel);
    switch (channel.kind) {
      case 'public':
        return { channel };
      case 'user':
        if (connection.user?.id !== channel.userId) {
          this.count(connection, channel, 'denied');
          throw new SubscriptionError(channel.name, 'AuthError', 'Only the signed-in user may subscribe');
        }
        return { channel };
      case 'private':
        await this.decideChannel(connection, channel, message);
        return { channel };
      case 'presence': {
        const { member } = await this.decideChannel(connection, channel, message);
        if (member === undefined) throw this.refuse(connection, channel, MISSING_CHANNEL_DATA);
        const broken = memberLimitBroken(member, connection.app.limits);
        if (broken !== undefined) throw new SubscriptionError(channel.name, 'LimitReached', broken);
        return { channel, member };
      }
    }
  }

  /** @throws PusherError 4009 when the user is not who it claims to be. */
  async authenticateUser(connection: Connection, message: SigninMessage): Promise<SignedInUser> {
    const { app, socketId, handshake } = connection;
    const { auth, userData } = message;
    const request = { app, socketId, handshake, auth, userData };
    const decision = await this.decide(app, () => this.provider.authenticateUser(request), checkedUserDecision);
    if (decision.decision === 'allow') return decision.user;
    this.count(connection, undefined, failureOf(decision));
    throw new PusherError(PusherErrors.signinFailed);
  }

  private async decideChannel(
    connection: Connection,
    channel: ChannelName,
    { auth, channelData }: SubscribeMessage,
  ): Promise<{ readonly member?: Member }> {
    const { app, socketId, user, handshake } = connection;
    const request = {
      app,
      socketId,
      handshake,
      channel,
      ...(auth === undefined ? {} : { auth }),
      ...(channelData === undefined ? {} : { channelData }),
      ...(user === undefined ? {} : { user }),
    };
    const decision = await this.decide(
      app,
      () => this.provider.authorizeChannel(request),
      (answer) => checkedChannelDecision(answer, channel.kind === 'presence'),
    );
    if (decision.decision === 'allow') return decision;
    if (decision.decision === 'deny') throw this.refuse(connection, channel, decision);
    throw this.refuse(connection, channel, auth === undefined ? MISSING_SIGNATURE : NOBODY);
  }

  /** What the client is told, and the count of it. */
  private refuse(connection: Connection, channel: ChannelName, denial: Denial): SubscriptionError {
    const failure = failureOf(denial);
    this.count(connection, channel, failure);
    return new SubscriptionError(channel.name, UNDECIDED.has(failure) ? 'AuthTimeout' : 'AuthError', denial.reason);
  }

  private count(connection: Connection, channel: ChannelName | undefined, failure: AuthFailure): void {
    this.failures.set(failure, (this.failures.get(failure) ?? 0) + 1);
    this.events.emit('authFailed', { connection, channel: channel?.name, failure });
  }

  /** The provider's decision. One that throws, takes too long, or answers something else, denies. */
  private async decide<Decision>(
    app: App,
    ask: () => unknown,
    check: (answer: unknown) => Decision,
  ): Promise<Decision | Denial> {
    const startedAt = performance.now();
    let timer: NodeJS.Timeout | undefined;
    try {
      const answer = ask();
      if (!isThenable(answer)) return check(answer);
      const timeout = new Promise<Denial>((resolve) => {
        timer = setTimeout(resolve, this.options.authTimeoutMs, TOOK_TOO_LONG);
      });
      return check(await Promise.race([answer, timeout]));
    } catch (error) {
      this.logError(error);
      return FAILED;
    } finally {
      clearTimeout(timer);
      this.events.emit('authDecided', { appId: app.id, tookMs: performance.now() - startedAt });
    }
  }

  private logError(error: unknown): void {
    // Whoever finds out what makes it throw must not fill the disk.
    if (!this.pause.isOver()) return;
    this.logger.error('auth provider threw', errorText(error));
  }
}

/** How a handshake's parts are found. */
export interface HandshakeParts {
  readonly header: (name: string) => string | undefined;
  readonly parameter: (name: string) => string | undefined;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}

function picked(
  names: readonly string[],
  find: (name: string) => string | undefined,
): Readonly<Record<string, string>> {
  // One object for all connections that keep nothing.
  if (names.length === 0) return NO_HANDSHAKE.headers;
  const found = names.map((name) => [name, find(name)] as const).filter(([, value]) => typeof value === 'string');
  return Object.fromEntries(found) as Record<string, string>;
}

function channelOf(connection: Connection, text: string): ChannelName {
  const maxLength = connection.app.limits.maxChannelNameLength;
  const channel = parseChannelName(text, maxLength);
  if (channel === 'too_long') {
    throw new SubscriptionError(text, 'InvalidChannel', channelTooLong(text, maxLength));
  }
  if (channel === 'malformed') throw new SubscriptionError(text, 'InvalidChannel', 'Invalid channel name');
  return channel;
}
