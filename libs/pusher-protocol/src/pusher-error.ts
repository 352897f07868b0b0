import { MAX_WATCHLIST_LENGTH } from './limits.js';

/**
 * What a `pusher:error` says. As close codes: 4000 makes pusher-js retry with TLS, 4001–4099 and from 4300 on give up,
 * 4100–4199 back off, 4200–4299 reconnect at once.
 */
export interface PusherErrorData {
  readonly code: number;
  readonly message: string;
}

/** Every error code and sentence that a client can receive. Source: Pusher Channels protocol, "Error codes". */
export const PusherErrors = {
  applicationDoesNotExist: { code: 4001, message: 'Application does not exist' },
  applicationDisabled: { code: 4003, message: 'Application disabled' },
  binaryNotSupported: { code: 4003, message: 'Binary frames not supported' },
  applicationOverQuota: { code: 4004, message: 'Application is over connection quota' },
  pathNotFound: { code: 4005, message: 'Path not found' },
  invalidProtocolVersion: { code: 4006, message: 'Invalid version string format' },
  unsupportedProtocolVersion: { code: 4007, message: 'Unsupported protocol version' },
  originNotAllowed: { code: 4009, message: 'Origin not allowed' },
  signinFailed: { code: 4009, message: 'Signin authentication failed' },
  notAuthorizedInTime: { code: 4009, message: 'Connection not authorized within timeout' },
  terminatedByApp: { code: 4009, message: 'You got disconnected by the app.' },
  overCapacity: { code: 4100, message: 'Over capacity' },
  restarting: { code: 4100, message: 'Server is restarting' },
  /** A fault of the server's own; clients back off. */
  internal: { code: 4100, message: 'Internal server error' },
  slowConsumer: { code: 4100, message: 'Client does not read fast enough' },
  /** Established connections of a draining node: they reconnect at once, to another node. */
  draining: { code: 4200, message: 'Server is restarting' },
  invalidMessage: { code: 4200, message: 'Invalid message format' },
  /** The cluster's state could not be reached in time; the client comes back at once and tries again. */
  unavailable: { code: 4200, message: 'Server is temporarily unavailable' },
  pongNotReceived: { code: 4201, message: 'Pong reply not received in time' },
  clientEventsDisabled: { code: 4301, message: 'The app does not have client messaging enabled.' },
  clientEventNotMember: { code: 4301, message: 'The client is not a member of the specified channel.' },
  clientEventChannelKind: { code: 4301, message: 'Client events are only supported on private and presence channels.' },
  clientEventRateLimit: { code: 4301, message: 'Client event rejected due to rate limit' },
  watchlistLimit: {
    code: 4302,
    message: `Watchlist limit exceeded. Only the first ${MAX_WATCHLIST_LENGTH} user IDs are accepted.`,
  },
} as const satisfies Record<string, PusherErrorData>;

/** What dialect `reverb` says in the place of some of them. Source: Laravel Reverb's `Exceptions` and `ClientEvent`. */
export const ReverbErrors = {
  /** A refused subscription, and a sign-in. */
  connectionUnauthorized: { code: 4009, message: 'Connection is unauthorized' },
  clientEventNotMember: { code: 4009, message: 'The client is not a member of the specified channel.' },
  rateLimitExceeded: { code: 4301, message: 'Rate limit exceeded' },
} as const satisfies Record<string, PusherErrorData>;

/** `pusher:error` that precedes a `pusher:subscription_error`. */
export function subscriptionRejected(channel: string): PusherErrorData {
  return { code: 4009, message: `Subscription to ${channel} rejected` };
}

export function clientEventNameTooLong(maxLength: number): PusherErrorData {
  return {
    code: 4301,
    message: `Client event rejected: the event name exceeds the allowed maximum (${maxLength} bytes)`,
  };
}

export function clientEventDataTooLong(maxBytes: number): PusherErrorData {
  return { code: 4301, message: `Client event rejected: the data exceeds the allowed maximum (${maxBytes} bytes)` };
}

/** Thrown inside the WebSocket edge; its filter sends it to the client, and the connection stays. */
export class PusherError extends Error {
  constructor(readonly data: PusherErrorData) {
    super(data.message);
    this.name = 'PusherError';
  }
}

/** Why a subscription was refused, as `pusher:subscription_error` names it. */
export type SubscriptionErrorType = 'AuthError' | 'InvalidChannel' | 'LimitReached' | 'AuthTimeout';

const SUBSCRIPTION_ERROR_STATUS: Record<SubscriptionErrorType, number> = {
  AuthError: 401,
  InvalidChannel: 400,
  LimitReached: 403,
  AuthTimeout: 503,
};

/** A refused subscription. What the client is told of it depends on the dialect. */
export class SubscriptionError extends Error {
  readonly status: number;

  constructor(
    readonly channel: string,
    readonly type: SubscriptionErrorType,
    reason: string,
  ) {
    super(reason);
    this.name = 'SubscriptionError';
    this.status = SUBSCRIPTION_ERROR_STATUS[type];
  }
}
