import { EventName } from './event-name.js';
import { PusherErrors, ReverbErrors, type PusherErrorData } from './pusher-error.js';
import {
  clientEventMessage,
  errorData,
  json,
  memberAddedData,
  memberRemovedData,
  message,
  presenceData,
  pusherMessages,
  subscriptionCountData,
} from './pusher-messages.js';
import type { ServerMessages } from './server-message.js';
import { userIdAsSigned } from './user.js';

/** Reverb's default. Clients that hear nothing for that long send a ping. */
const MAX_ACTIVITY_TIMEOUT_SECONDS = 30;

/** What Reverb has a sentence of its own for. Everything else it would say in Pusher's words, or does not have. */
const WORDINGS: ReadonlyMap<PusherErrorData, PusherErrorData> = new Map<PusherErrorData, PusherErrorData>([
  [PusherErrors.signinFailed, ReverbErrors.connectionUnauthorized],
  [PusherErrors.clientEventNotMember, ReverbErrors.clientEventNotMember],
  [PusherErrors.clientEventRateLimit, ReverbErrors.rateLimitExceeded],
]);

/**
 * Source: Laravel Reverb 1, `src/Protocols/Pusher`. `data` is a JSON string in `pusher:error` as well, the channel is the
 * last key, and a `user_id` is a number when the application signed a number.
 */
export const reverbMessages: ServerMessages = {
  ...pusherMessages,

  connectionEstablished: (socketId, activityTimeoutSeconds) =>
    pusherMessages.connectionEstablished(socketId, Math.min(activityTimeoutSeconds, MAX_ACTIVITY_TIMEOUT_SECONDS)),

  error: (error) => errorMessage(WORDINGS.get(error) ?? error),

  subscriptionRefused: () => [UNAUTHORIZED],

  subscriptionSucceeded: (channel) => channelMessage(EventName.subscriptionSucceeded, channel, '"{}"'),

  presenceSubscriptionSucceeded: (channel, members) =>
    channelMessage(EventName.subscriptionSucceeded, channel, json(presenceData(members, userIdAsSigned))),

  memberAdded: (channel, member) =>
    channelMessage(EventName.memberAdded, channel, json(memberAddedData(member, userIdAsSigned))),

  memberRemoved: (channel, member) =>
    channelMessage(EventName.memberRemoved, channel, json(memberRemovedData(member, userIdAsSigned))),

  subscriptionCount: (channel, count) =>
    channelMessage(EventName.subscriptionCount, channel, json(subscriptionCountData(count))),

  event: (channel, event, dataJson) => channelMessage(event, channel, dataJson),

  clientEvent: (channel, event, dataJson = 'null', member) =>
    clientEventMessage(channel, event, dataJson, member, userIdAsSigned),
};

const UNAUTHORIZED = errorMessage(ReverbErrors.connectionUnauthorized);

function errorMessage(error: PusherErrorData): string {
  return message(EventName.error, json(errorData(error)));
}

function channelMessage(event: string, channel: string, dataJson: string): string {
  return `{"event":${json(event)},"data":${dataJson},"channel":${json(channel)}}`;
}
