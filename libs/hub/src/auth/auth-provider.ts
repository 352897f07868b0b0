import type { ChannelName, Member, SignedInUser } from '@pogo/pusher-protocol';
import type { App } from '../app/app.js';

export interface ChannelAuthRequest {
  readonly app: App;
  readonly socketId: string;
  /** Private or presence; other kinds are decided without a provider. */
  readonly channel: ChannelName;
  /** What the client sent; absent when it sent none, "" or null. */
  readonly auth?: string;
  readonly channelData?: string;
  /** Set when the connection has signed in. */
  readonly user?: SignedInUser;
}

export interface UserAuthRequest {
  readonly app: App;
  readonly socketId: string;
  readonly auth: string;
  readonly userData: string;
}

/** `not_mine` leaves the decision to the next provider; when nobody decides, the answer is no. */
export type Refusal = { readonly decision: 'deny'; readonly reason: string } | { readonly decision: 'not_mine' };

export type ChannelAuthDecision =
  /** `member` is required on presence channels and ignored on others. */
  { readonly decision: 'allow'; readonly member?: Member } | Refusal;

export type UserAuthDecision = { readonly decision: 'allow'; readonly user: SignedInUser } | Refusal;

/**
 * Who may subscribe to a channel and who a client is. Replace it to use your own tokens instead of signatures.
 * A provider that throws, or takes longer than `authTimeoutMs`, denies. Contract suite: `authProviderContract`.
 */
export abstract class AuthProvider {
  abstract authorizeChannel(request: ChannelAuthRequest): ChannelAuthDecision | Promise<ChannelAuthDecision>;
  abstract authenticateUser(request: UserAuthRequest): UserAuthDecision | Promise<UserAuthDecision>;
}
