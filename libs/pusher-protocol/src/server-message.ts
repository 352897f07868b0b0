import { EventName } from './event-name.js';
import type { PusherErrorData, SubscriptionError } from './pusher-error.js';
import type { Member } from './user.js';

/** Names of the dialects that an app may speak. */
export const DIALECT_NAMES = ['pusher', 'reverb'] as const;
export type DialectName = (typeof DIALECT_NAMES)[number];

/**
 * Everything the server says, as the text of one WebSocket message. One object per dialect: apps differ in wording
 * and key order, never in meaning. Texts are built from JSON fragments, so payloads are never parsed again.
 */
export interface ServerMessages {
  /** What the client is told to expect; an app's dialect may override the server's setting. */
  connectionEstablished(socketId: string, activityTimeoutSeconds: number): string;
  pong(): string;
  error(error: PusherErrorData): string;
  subscriptionError(error: SubscriptionError): string;
  subscriptionSucceeded(channel: string): string;
  presenceSubscriptionSucceeded(channel: string, members: readonly Member[]): string;
  memberAdded(channel: string, member: Member): string;
  memberRemoved(channel: string, userId: string): string;
  cacheMiss(channel: string): string;
  signinSuccess(userData: string): string;
  /** Connections in the channel, on all nodes. */
  subscriptionCount(channel: string, count: number): string;
  /** Users of a watchlist that are online and those that are not; who is in neither list has not changed. */
  watchlistEvents(online: readonly string[], offline: readonly string[]): string;
  /**
   * An event that a publisher sent. `dataJson` is its data, any text, as a JSON string: made once for all channels of a
   * publish.
   */
  event(channel: string, event: string, dataJson: string): string;
  /** A client event; `dataJson` is relayed as it was sent, `userId` only on presence channels. */
  clientEvent(channel: string, event: string, dataJson: string | undefined, userId: string | undefined): string;
}

const json = JSON.stringify as (value: string) => string;

/**
 * Source: Pusher Channels protocol 7. `data` is a JSON string in `connection_established`, in every `pusher_internal:*`
 * event and in what publishers send; an object in `pusher:error`, `subscription_error` and `signin_success`.
 */
export const pusherMessages: ServerMessages = {
  connectionEstablished: (socketId, activityTimeoutSeconds) =>
    message(
      EventName.connectionEstablished,
      json(`{"socket_id":"${socketId}","activity_timeout":${activityTimeoutSeconds}}`),
    ),

  pong: () => PONG,

  error: ({ code, message: text }) => message(EventName.error, `{"code":${code},"message":${json(text)}}`),

  subscriptionError: (error) =>
    channelMessage(
      EventName.subscriptionError,
      error.channel,
      `{"type":"${error.type}","error":${json(error.message)},"status":${error.status}}`,
    ),

  subscriptionSucceeded: (channel) => channelMessage(EventName.subscriptionSucceeded, channel, '"{}"'),

  presenceSubscriptionSucceeded: (channel, members) =>
    channelMessage(EventName.subscriptionSucceeded, channel, json(presenceData(members))),

  memberAdded: (channel, member) =>
    channelMessage(
      EventName.memberAdded,
      channel,
      json(`{"user_id":${json(member.userId)},"user_info":${member.userInfoJson ?? '{}'}}`),
    ),

  memberRemoved: (channel, userId) =>
    channelMessage(EventName.memberRemoved, channel, json(`{"user_id":${json(userId)}}`)),

  cacheMiss: (channel) => `{"event":"${EventName.cacheMiss}","channel":${json(channel)}}`,

  signinSuccess: (userData) => message(EventName.signinSuccess, `{"user_data":${json(userData)}}`),

  subscriptionCount: (channel, count) =>
    channelMessage(EventName.subscriptionCount, channel, json(`{"subscription_count":${count}}`)),

  watchlistEvents: (online, offline) => message(EventName.watchlistEvents, json(watchlistData(online, offline))),

  event: (channel, event, dataJson) => channelMessage(event, channel, dataJson),

  clientEvent: (channel, event, dataJson, userId) => {
    const data = dataJson === undefined ? '' : `,"data":${dataJson}`;
    const user = userId === undefined ? '' : `,"user_id":${json(userId)}`;
    return `{"event":${json(event)},"channel":${json(channel)}${data}${user}}`;
  },
};

const DIALECTS: Record<DialectName, ServerMessages> = { pusher: pusherMessages, reverb: pusherMessages };

export function messagesOf(dialect: DialectName): ServerMessages {
  return DIALECTS[dialect];
}

const PONG = `{"event":"${EventName.pong}"}`;

function message(event: string, dataJson: string): string {
  return `{"event":${json(event)},"data":${dataJson}}`;
}

function channelMessage(event: string, channel: string, dataJson: string): string {
  return `{"event":${json(event)},"channel":${json(channel)},"data":${dataJson}}`;
}

function watchlistData(online: readonly string[], offline: readonly string[]): string {
  const events = [
    { name: 'online', user_ids: online },
    { name: 'offline', user_ids: offline },
  ];
  return JSON.stringify({ events: events.filter(({ user_ids: ids }) => ids.length > 0) });
}

/**
 * `hash` has a key for every id, `{}` for a member without user_info: without it pusher-js's `members.me` is null.
 * Built as text, because an object would treat an id like `__proto__` or `7` in its own way.
 */
function presenceData(members: readonly Member[]): string {
  const ids = members.map((member) => json(member.userId));
  const hash = members.map((member, i) => `${ids[i]}:${member.userInfoJson ?? '{}'}`);
  return `{"presence":{"count":${members.length},"ids":[${ids.join(',')}],"hash":{${hash.join(',')}}}}`;
}
