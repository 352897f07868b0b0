import { exceedsBytes, findMemberId, MAX_SIGNED_IN_USER_ID_BYTES } from '@pogo/pusher-protocol';
import {
  AUTH_FAILURES,
  type AuthFailure,
  type ChannelAuthDecision,
  type Denial,
  type Refusal,
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

/*
 * Types end where a provider is somebody else's. What it answered is read once, here, and goes on as a plain copy: what
 * is no decision is none, and an accessor that throws does so where the caller expects it.
 */

/** @param isPresence a member is wanted; on other channels it is not looked at. */
export function checkedChannelDecision(answer: unknown, isPresence: boolean): ChannelAuthDecision {
  const { decision, member } = fieldsOf(answer);
  if (decision !== 'allow') return refusalOf(decision, answer);
  if (!isPresence) return { decision };
  if (member === undefined || member === null) return MISSING_CHANNEL_DATA;
  const { userId, userIdJson, userInfoJson } = fieldsOf(member);
  if (!isText(userId) || !isIdOf(userId, userIdJson) || !isInfo(userInfoJson)) return FAILED;
  const id = userIdJson === undefined ? { userId } : { userId, userIdJson };
  return { decision, member: userInfoJson === undefined ? id : { ...id, userInfoJson } };
}

export function checkedUserDecision(answer: unknown): UserAuthDecision {
  const { decision, user } = fieldsOf(answer);
  if (decision !== 'allow') return refusalOf(decision, answer);
  const { id, userInfoJson, watchlist } = fieldsOf(user);
  if (!isText(id) || exceedsBytes(id, MAX_SIGNED_IN_USER_ID_BYTES) || !isInfo(userInfoJson)) return FAILED;
  const followed: unknown[] = Array.isArray(watchlist) ? [...(watchlist as unknown[])] : [undefined];
  if (!followed.every((entry) => typeof entry === 'string')) return FAILED;
  return {
    decision,
    user: userInfoJson === undefined ? { id, watchlist: followed } : { id, userInfoJson, watchlist: followed },
  };
}

/** How a refusal is counted. */
export function failureOf(refusal: Refusal): AuthFailure {
  const failure = refusal.decision === 'deny' ? refusal.failure : undefined;
  return failure !== undefined && AUTH_FAILURES.includes(failure) ? failure : 'denied';
}

function refusalOf(decision: unknown, answer: unknown): Refusal {
  if (decision === 'not_mine') return { decision };
  if (decision !== 'deny') return FAILED;
  const { reason, failure } = fieldsOf(answer);
  return {
    decision,
    reason: typeof reason === 'string' ? reason : 'Denied',
    ...(failure === undefined ? {} : { failure: failure as AuthFailure }),
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return (value ?? {}) as Readonly<Record<string, unknown>>;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** It goes to other clients in the place of the id: it must be the same one. */
function isIdOf(userId: string, json: unknown): json is string | undefined {
  if (json === undefined) return true;
  const id = typeof json === 'string' ? findMemberId(json) : undefined;
  return id?.userId === userId && id.userIdJson === json;
}

/** It goes to other clients as it is, inside JSON. */
function isInfo(text: unknown): text is string | undefined {
  if (text === undefined) return true;
  try {
    return typeof text === 'string' && (JSON.parse(text), true);
  } catch {
    return false;
  }
}
