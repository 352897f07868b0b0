import { EventName } from './event-name.js';
import { subscriptionRejected, type PusherErrorData, type SubscriptionError } from './pusher-error.js';
import type { ServerMessages } from './server-message.js';
import type { Member } from './user.js';

export const json = JSON.stringify as (value: string) => string;

/** How a dialect writes a member's id, as JSON. */
type MemberId = (member: Member) => string;

const textId: MemberId = ({ userId }) => json(userId);

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

  error: (error) => message(EventName.error, errorData(error)),

  subscriptionRefused: (error) => [
    message(EventName.error, errorData(subscriptionRejected(error.channel))),
    channelMessage(EventName.subscriptionError, error.channel, subscriptionErrorData(error)),
  ],

  subscriptionSucceeded: (channel) => channelMessage(EventName.subscriptionSucceeded, channel, '"{}"'),

  presenceSubscriptionSucceeded: (channel, members) =>
    channelMessage(EventName.subscriptionSucceeded, channel, json(presenceData(members, textId))),

  memberAdded: (channel, member) =>
    channelMessage(EventName.memberAdded, channel, json(memberAddedData(member, textId))),

  memberRemoved: (channel, member) =>
    channelMessage(EventName.memberRemoved, channel, json(memberRemovedData(member, textId))),

  cacheMiss: (channel) => `{"event":"${EventName.cacheMiss}","channel":${json(channel)}}`,

  signinSuccess: (userData) => message(EventName.signinSuccess, `{"user_data":${json(userData)}}`),

  subscriptionCount: (channel, count) =>
    channelMessage(EventName.subscriptionCount, channel, json(subscriptionCountData(count))),

  watchlistEvents: (online, offline) => message(EventName.watchlistEvents, json(watchlistData(online, offline))),

  event: (channel, event, dataJson) => channelMessage(event, channel, dataJson),

  clientEvent: (channel, event, dataJson, member) => clientEventMessage(channel, event, dataJson, member, textId),
};

const PONG = `{"event":"${EventName.pong}"}`;

/** A message that belongs to no channel; every dialect has the same order of keys. */
export function message(event: string, dataJson: string): string {
  return `{"event":${json(event)},"data":${dataJson}}`;
}

export function clientEventMessage(
  channel: string,
  event: string,
  dataJson: string | undefined,
  member: Member | undefined,
  idOf: MemberId,
): string {
  const data = dataJson === undefined ? '' : `,"data":${dataJson}`;
  const user = member === undefined ? '' : `,"user_id":${idOf(member)}`;
  return `{"event":${json(event)},"channel":${json(channel)}${data}${user}}`;
}

export function errorData({ code, message: text }: PusherErrorData): string {
  return `{"code":${code},"message":${json(text)}}`;
}

/**
 * `hash` has a key for every id, `{}` for a member without user_info: without it pusher-js's `members.me` is null.
 * Built as text, because an object would treat an id like `__proto__` or `7` in its own way.
 */
export function presenceData(members: readonly Member[], idOf: MemberId): string {
  const hash = members.map((member) => `${json(member.userId)}:${userInfo(member)}`);
  return `{"presence":{"count":${members.length},"ids":[${members.map(idOf).join(',')}],"hash":{${hash.join(',')}}}}`;
}

export function memberAddedData(member: Member, idOf: MemberId): string {
  return `{"user_id":${idOf(member)},"user_info":${userInfo(member)}}`;
}

export function memberRemovedData(member: Member, idOf: MemberId): string {
  return `{"user_id":${idOf(member)}}`;
}

export function subscriptionCountData(count: number): string {
  return `{"subscription_count":${count}}`;
}

function channelMessage(event: string, channel: string, dataJson: string): string {
  return `{"event":${json(event)},"channel":${json(channel)},"data":${dataJson}}`;
}

function userInfo({ userInfoJson = '{}' }: Member): string {
  return userInfoJson;
}

function subscriptionErrorData({ type, message: text, status }: SubscriptionError): string {
  return `{"type":"${type}","error":${json(text)},"status":${status}}`;
}

function watchlistData(online: readonly string[], offline: readonly string[]): string {
  const events = [
    { name: 'online', user_ids: online },
    { name: 'offline', user_ids: offline },
  ];
  return JSON.stringify({ events: events.filter(({ user_ids: ids }) => ids.length > 0) });
}
