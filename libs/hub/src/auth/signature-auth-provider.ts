import {
  memberOf,
  parseChannelData,
  parseUserData,
  verifyChannelSignature,
  verifyUserSignature,
} from '@pogo/pusher-protocol';
import {
  AuthProvider,
  type AuthFailure,
  type ChannelAuthDecision,
  type ChannelAuthRequest,
  type Denial,
  type UserAuthDecision,
  type UserAuthRequest,
} from './auth-provider.js';

/** Pusher's own way: the application's backend signed the subscription with the app's secret. */
export class SignatureAuthProvider extends AuthProvider {
  authorizeChannel({ auth, ...request }: ChannelAuthRequest): ChannelAuthDecision {
    return auth === undefined ? { decision: 'not_mine' } : decideBySignature({ auth, ...request });
  }

  authenticateUser({ app, socketId, auth, userData }: UserAuthRequest): UserAuthDecision {
    if (!verifyUserSignature(app, auth, socketId, userData)) return deny('Invalid signature', 'invalid_signature');
    const user = parseUserData(userData);
    return user === undefined ? deny('Invalid user_data: id is required', 'denied') : { decision: 'allow', user };
  }
}

/** The decision on a subscription that brings a signature, whoever it came from. */
export function decideBySignature({
  app,
  socketId,
  channel,
  auth,
  channelData,
  user,
}: ChannelAuthRequest & { readonly auth: string }): ChannelAuthDecision {
  // Nothing that the client sent is looked into before the signature has been verified.
  if (!verifyChannelSignature(app, auth, socketId, channel.name, channelData)) {
    return deny('Invalid signature', 'invalid_signature');
  }
  if (channel.kind !== 'presence') return { decision: 'allow' };
  if (channelData === undefined) {
    return user === undefined
      ? deny('Missing channel_data', 'missing_channel_data')
      : { decision: 'allow', member: memberOf(user) };
  }
  const member = parseChannelData(channelData);
  return member === undefined
    ? deny('Invalid channel_data: user_id is required', 'missing_channel_data')
    : { decision: 'allow', member };
}

function deny(reason: string, failure: AuthFailure): Denial {
  return { decision: 'deny', reason, failure };
}
