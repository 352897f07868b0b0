import {
  memberOf,
  parseChannelData,
  parseUserData,
  verifyChannelSignature,
  verifyUserSignature,
} from '@pogo/pusher-protocol';
import {
  AuthProvider,
  type ChannelAuthDecision,
  type ChannelAuthRequest,
  type UserAuthDecision,
  type UserAuthRequest,
} from './auth-provider.js';

/** Pusher's own way: the application's backend signed the subscription with the app's secret. */
export class SignatureAuthProvider extends AuthProvider {
  authorizeChannel({ app, socketId, channel, auth, channelData, user }: ChannelAuthRequest): ChannelAuthDecision {
    if (auth === undefined) return deny('Missing signature');
    // Nothing that the client sent is looked into before the signature has been verified.
    if (!verifyChannelSignature(app, auth, socketId, channel.name, channelData)) return deny('Invalid signature');
    if (channel.kind !== 'presence') return { decision: 'allow' };
    if (channelData === undefined) {
      return user === undefined ? deny('Missing channel_data') : { decision: 'allow', member: memberOf(user) };
    }
    const member = parseChannelData(channelData);
    return member === undefined ? deny('Invalid channel_data: user_id is required') : { decision: 'allow', member };
  }

  authenticateUser({ app, socketId, auth, userData }: UserAuthRequest): UserAuthDecision {
    if (!verifyUserSignature(app, auth, socketId, userData)) return deny('Invalid signature');
    const user = parseUserData(userData);
    return user === undefined ? deny('Invalid user_data: id is required') : { decision: 'allow', user };
  }
}

function deny(reason: string) {
  return { decision: 'deny', reason } as const;
}
