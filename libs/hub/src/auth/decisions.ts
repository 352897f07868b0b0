import { exceedsBytes, MAX_SIGNED_IN_USER_ID_BYTES, type Member, type SignedInUser } from '@pogo/pusher-protocol';
import {
  AUTH_FAILURES,
  type AuthFailure,
  type ChannelAuthDecision,
  type Denial,
  type UserAuthDecision,
} from './auth-provider.js';

/** A decision that nobody took: the client may ask again. */
export const UNDECIDED: ReadonlySet<AuthFailure> = new Set([
  'concurrency_limit',
  'dispatch_error',
  'worker_error',
  'circuit_open',
]);

export const MISSING_SIGNATURE: Denial = {
  decision: 'deny',
  reason: 'Missing signature',
  failure: 'missing_signature',
};
export const MISSING_CHANNEL_DATA: Denial = {
  decision: 'deny',
  reason: 'Missing channel_data',
  failure: 'missing_channel_data',
};
export const NOBODY: Denial = { decision: 'deny', reason: 'Nobody authorizes this subscription', failure: 'denied' };
export const TOOK_TOO_LONG: Denial = {
  decision: 'deny',
  reason: 'The authorization took too long',
  failure: 'dispatch_error',
};
export const FAILED: Denial = { decision: 'deny', reason: 'The authorization failed', failure: 'worker_error' };
/** Types end where a provider is somebody else's: whatever it answered that is no decision is none. */
export function checked<Decision extends ChannelAuthDecision | UserAuthDecision>(
  answer: Decision | Denial,
): Decision | Denial {
  switch ((answer as { readonly decision?: unknown } | null | undefined)?.decision) {
    case 'allow':
    case 'not_mine':
      return answer;
    case 'deny':
      return typeof (answer as Denial).reason === 'string' ? answer : { ...(answer as Denial), reason: 'Denied' };
    default:
      return FAILED;
  }
}

export function failureOf(decision: ChannelAuthDecision | UserAuthDecision): AuthFailure {
  if (decision.decision === 'allow') return 'worker_error';
  const failure = decision.decision === 'deny' ? decision.failure : undefined;
  return failure !== undefined && AUTH_FAILURES.includes(failure) ? failure : 'denied';
}

export function isMember(member: Member): boolean {
  return isText(member.userId) && (member.userInfoJson === undefined || isJsonText(member.userInfoJson));
}

export function isUser(user: SignedInUser | undefined): user is SignedInUser {
  return (
    isText(user?.id) &&
    !exceedsBytes(user.id, MAX_SIGNED_IN_USER_ID_BYTES) &&
    (user.userInfoJson === undefined || isJsonText(user.userInfoJson)) &&
    Array.isArray(user.watchlist) &&
    user.watchlist.every((entry) => typeof entry === 'string')
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** It goes to other clients as it is, inside JSON. */
function isJsonText(text: unknown): boolean {
  try {
    return typeof text === 'string' && (JSON.parse(text), true);
  } catch {
    return false;
  }
}
