import { HttpException } from '@nestjs/common';
import type { ChannelName } from '@pogo/pusher-protocol';
import { ApiError, UnreadableBodyError } from './api-error.js';
import type { ChannelInfo, InfoState } from './channel-info.js';

/*
 * What dialect `reverb` answers otherwise. Source: Laravel Reverb 1, `src/Servers/Reverb/Http` and
 * `src/Protocols/Pusher/Http`.
 */

const INTERNAL = 'Internal server error.';

/** Reverb's sentences by status. */
const SENTENCES: Readonly<Record<number, string>> = {
  401: 'Authentication signature invalid.',
  404: 'Not found.',
  405: 'Method not allowed.',
  413: 'Payload too large.',
};

/** A refusal as plain text. `sentence` is what the API says otherwise, and what is said where Reverb has no words. */
export function reverbRefusal(
  error: unknown,
  status: number,
  sentence: string,
  appId: string,
): [status: number, text: string] {
  if (error instanceof UnreadableBodyError) return [500, INTERNAL];
  if (error instanceof ApiError && status === 404) return [404, `No matching application for ID [${appId}].`];
  if (status === 500 && !(error instanceof HttpException)) return [500, INTERNAL];
  return [status, SENTENCES[status] ?? sentence];
}

/** The attributes of `wanted` that apply: users of presence channels, subscriptions of others, a cached event if there is one. */
export function reverbChannelInfo(state: InfoState, channel: ChannelName, wanted: ReadonlySet<string>): ChannelInfo {
  const isOccupied = state.subscriptionCount > 0;
  const isPresence = channel.kind === 'presence';
  const info: ChannelInfo = {};
  if (wanted.has('occupied')) info.occupied = isOccupied;
  if (wanted.has('user_count') && isOccupied && isPresence) info.user_count = state.userCount;
  if (wanted.has('subscription_count') && isOccupied && !isPresence) info.subscription_count = state.subscriptionCount;
  if (wanted.has('cache') && state.cached !== undefined) {
    info.cache = JSON.parse(state.cached.payload.toString()) as object;
  }
  return info;
}
