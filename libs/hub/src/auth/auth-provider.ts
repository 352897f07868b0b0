import type { ChannelName, Member, SignedInUser } from '@pogo/pusher-protocol';
import type { App } from '../app/app.js';
import { NO_NEEDS, type Handshake, type HandshakeNeeds } from './handshake.js';

export interface ChannelAuthRequest {
  readonly app: App;
  readonly socketId: string;
  /** What {@link AuthProvider.handshakeNeeds} asked for, and the client's IP. */
  readonly handshake: Handshake;
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
  readonly handshake: Handshake;
  readonly auth: string;
  readonly userData: string;
}

/**
 * Why a client was not let in, as it is counted (metric `auth_failures_total`). `dispatch_error`, `worker_error`,
 * `concurrency_limit` and `circuit_open` say that nobody could decide: the client is told 503, everything else is a 401.
 */
export const AUTH_FAILURES = [
  'missing_signature',
  'concurrency_limit',
  'missing_channel_data',
  'invalid_signature',
  'dispatch_error',
  'body_overflow',
  'worker_error',
  'denied',
  'invalid_response_json',
  'circuit_open',
] as const;

export type AuthFailure = (typeof AUTH_FAILURES)[number];

export interface Denial {
  readonly decision: 'deny';
  /** For the client. */
  readonly reason: string;
  /** For the counter; `denied` by default. */
  readonly failure?: AuthFailure;
}

/** `not_mine` leaves the decision to the next provider of a chain; when nobody decides, the answer is no. */
export type Refusal = Denial | { readonly decision: 'not_mine' };

export type ChannelAuthDecision =
  /** `member` is required on presence channels and ignored on others. */
  { readonly decision: 'allow'; readonly member?: Member } | Refusal;

export type UserAuthDecision = { readonly decision: 'allow'; readonly user: SignedInUser } | Refusal;

/**
 * Who may subscribe to a channel and who a client is. Replace it to use your own tokens instead of signatures, or put it
 * into a chain before them: `GatewayModule.forRoot({ auth: [MyAuthProvider, SignatureAuthProvider] })`.
 *
 * A provider that throws, takes longer than `authTimeoutMs`, or answers something else, denies. Both methods are called
 * for clients nobody knows: verify before you work. Contract suite: `authProviderContract`.
 */
export abstract class AuthProvider {
  abstract authorizeChannel(request: ChannelAuthRequest): ChannelAuthDecision | Promise<ChannelAuthDecision>;
  abstract authenticateUser(request: UserAuthRequest): UserAuthDecision | Promise<UserAuthDecision>;

  /** What to keep of the handshakes of the app's clients; nothing by default. Asked once for each connection. */
  handshakeNeeds(_app: App): HandshakeNeeds {
    return NO_NEEDS;
  }
}
