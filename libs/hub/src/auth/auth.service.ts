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
import { HubOptions } from '../hub-options.js';
import { AuthProvider, type ChannelAuthDecision } from './auth-provider.js';

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

  constructor(
    private readonly provider: AuthProvider,
    private readonly options: HubOptions,
  ) {}

  /** @throws SubscriptionError when the client may not subscribe. */
  async authorizeChannel(connection: Connection, message: SubscribeMessage): Promise<ChannelGrant> {
    const channel = channelOf(connection, message.channel);
    switch (channel.kind) {
      case 'public':
        return { channel };
      case 'user':
        if (connection.user?.id !== channel.userId)
          throw authError(channel.name, 'Only the signed-in user may subscribe');
        return { channel };
      case 'private':
        await this.decideChannel(connection, channel, message);
        return { channel };
      case 'presence': {
        const member = await this.decideChannel(connection, channel, message);
        if (member === undefined) throw authError(channel.name, 'Missing channel_data');
        const broken = memberLimitBroken(member, connection.app.limits);
        if (broken !== undefined) throw new SubscriptionError(channel.name, 'LimitReached', broken);
        return { channel, member };
      }
    }
  }

  /** @throws PusherError 4009 when the user is not who it claims to be. */
  async authenticateUser(connection: Connection, message: SigninMessage): Promise<SignedInUser> {
    const { app, socketId } = connection;
    const { auth, userData } = message;
    const decision = await this.withinTime(() => this.provider.authenticateUser({ app, socketId, auth, userData }));
    if (decision?.decision !== 'allow') throw new PusherError(PusherErrors.signinFailed);
    return decision.user;
  }

  private async decideChannel(
    connection: Connection,
    channel: ChannelName,
    { auth, channelData }: SubscribeMessage,
  ): Promise<Member | undefined> {
    const { app, socketId, user } = connection;
    const request = {
      app,
      socketId,
      channel,
      ...(auth === undefined ? {} : { auth }),
      ...(channelData === undefined ? {} : { channelData }),
      ...(user === undefined ? {} : { user }),
    };
    const decision = await this.withinTime(() => this.provider.authorizeChannel(request));
    if (decision === undefined) {
      throw new SubscriptionError(channel.name, 'AuthTimeout', 'The authorization took too long or failed');
    }
    return grantOf(channel, decision);
  }

  /** The provider's decision, or undefined when it threw or did not decide in time. */
  private async withinTime<Decision>(decide: () => Decision | Promise<Decision>): Promise<Decision | undefined> {
    let timer: NodeJS.Timeout | undefined;
    try {
      const decision = decide();
      if (!(decision instanceof Promise)) return decision;
      const timeout = new Promise<undefined>((resolve) => {
        timer = setTimeout(resolve, this.options.authTimeoutMs, undefined);
      });
      return await Promise.race([decision, timeout]);
    } catch (error) {
      this.logger.error('auth provider threw', error instanceof Error ? error.stack : String(error));
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }
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

function grantOf(channel: ChannelName, decision: ChannelAuthDecision): Member | undefined {
  switch (decision.decision) {
    case 'allow':
      return decision.member;
    case 'deny':
      throw authError(channel.name, decision.reason);
    default:
      throw authError(channel.name, 'Nobody authorizes this subscription');
  }
}

function authError(channel: string, reason: string): SubscriptionError {
  return new SubscriptionError(channel, 'AuthError', reason);
}
