import type { AuthFailure, ChannelAuthRequest, Denial } from './auth-provider.js';
import { MISSING_SIGNATURE, TOOK_TOO_LONG } from './decisions.js';
import type { Post, Reply } from './http-exchange.js';

/** What an authorization endpoint signed. */
export interface EndpointSignature {
  readonly auth: string;
  readonly channelData?: string;
}

/** The headers of a client's handshake that an endpoint is shown, with the name under which it is. */
const FORWARDED: Readonly<Record<string, string>> = {
  cookie: 'Cookie',
  authorization: 'Authorization',
  origin: 'Origin',
  'user-agent': 'User-Agent',
};

export const FORWARDED_HEADERS: readonly string[] = Object.keys(FORWARDED);

export const CONCURRENCY_LIMIT = denial('Too many authorizations at once', 'concurrency_limit');
export const CIRCUIT_OPEN = denial('The authorization endpoint is not available', 'circuit_open');
const UNREACHABLE = denial('The authorization endpoint did not answer', 'dispatch_error');
const REDIRECTED = denial('The authorization endpoint answered with a redirect', 'dispatch_error');
const OVERFLOW = denial('The authorization endpoint answered too much', 'body_overflow');
const BROKEN = denial('The authorization endpoint failed', 'worker_error');
const DENIED = denial('The authorization endpoint refused', 'denied');
const NO_ANSWER = denial('The authorization endpoint answered no authorization', 'invalid_response_json');

/** The request that asks an endpoint about a subscription. What the client sent with it is not passed on. */
export function postFor({ channel, socketId, handshake }: ChannelAuthRequest): Post {
  const { headers, clientIp } = handshake;
  const forwarded = Object.entries(FORWARDED).flatMap(([key, name]) =>
    headers[key] === undefined ? [] : [[name, headers[key]] as const],
  );
  return {
    // Bytes: Node writes the headers with a string's encoding, and they are Latin-1 as they came.
    body: Buffer.from(JSON.stringify({ channel_name: channel.name, socket_id: socketId })),
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json',
      'X-Pogo-Channel': channel.name,
      ...Object.fromEntries(forwarded),
      ...(clientIp === undefined ? {} : { 'X-Forwarded-For': clientIp }),
    },
  };
}

/** What an endpoint's reply means. The client is told one of the sentences above, and nothing of what the endpoint said. */
export function understand(reply: Reply): EndpointSignature | Denial {
  if (reply === 'timed_out') return TOOK_TOO_LONG;
  if (reply === 'unreachable') return UNREACHABLE;
  if (reply === 'overflow') return OVERFLOW;
  const { status, body } = reply;
  if (status === 200) return parseSignature(body);
  if (status >= 500) return BROKEN;
  return status >= 300 && status < 400 ? REDIRECTED : DENIED;
}

/** True for the failures after which an endpoint is given a rest. */
export function isBroken(answer: EndpointSignature | Denial): boolean {
  return 'failure' in answer && (answer.failure === 'dispatch_error' || answer.failure === 'worker_error');
}

function parseSignature(body: string): EndpointSignature | Denial {
  const answer = parseObject(body);
  if (answer === undefined) return NO_ANSWER;
  const { auth, channel_data: channelData } = answer;
  // PHP writes `[]` for an answer without fields, and null for those it has not set.
  if (auth === undefined || auth === null || auth === '') return MISSING_SIGNATURE;
  if (typeof auth !== 'string') return NO_ANSWER;
  if (channelData === undefined || channelData === null) return { auth };
  return typeof channelData === 'string' ? { auth, channelData } : NO_ANSWER;
}

function parseObject(text: string): Partial<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function denial(reason: string, failure: AuthFailure): Denial {
  return { decision: 'deny', reason, failure };
}
