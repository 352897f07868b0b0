import type { App, ChannelState } from '@pogo/hub';
import type { ChannelName } from '@pogo/pusher-protocol';
import { ApiError } from './api-error.js';
import { reverbChannelInfo } from './reverb-answer.js';

/** A channel's attributes as the API names them. */
export interface ChannelInfo {
  occupied?: boolean;
  user_count?: number;
  subscription_count?: number;
  /** `{data, ttl}`; in dialect `reverb` the event as it was sent. */
  cache?: object | null;
}

/** What a channel's attributes are made of. */
export type InfoState = Omit<ChannelState, 'serial'>;

const ATTRIBUTES: readonly string[] = ['user_count', 'subscription_count', 'cache'];

/** What an `info` parameter or field names, known or not: comma-separated, empty entries are ignored. */
export function attributeNames(info: string): string[] {
  return info
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/**
 * Attributes in the `info` parameter of a query. @throws ApiError 400 naming one that does not exist; to Reverb it is one
 * that does not apply.
 */
export function parseInfo(info: string | undefined, { dialect }: App): ReadonlySet<string> {
  const names = attributeNames(info ?? '');
  const unknown = dialect === 'reverb' ? undefined : names.find((name) => !ATTRIBUTES.includes(name));
  if (unknown === undefined) return new Set(names);
  throw new ApiError(400, `Unknown info attribute ${JSON.stringify(unknown.slice(0, 64))}`);
}

/** @throws ApiError 400 naming an attribute that the list of channels cannot have; Reverb leaves it out. */
export function checkApplicableToList(attributes: ReadonlySet<string>, prefix: string, { dialect }: App): void {
  if (dialect === 'reverb') return;
  if (attributes.has('cache')) throw new ApiError(400, 'Info attribute cache is not available on the list of channels');
  if (attributes.has('user_count') && !prefix.startsWith('presence-')) {
    throw new ApiError(400, 'Info attribute user_count needs filter_by_prefix to start with presence-');
  }
}

/** @throws ApiError 400 naming an attribute that `channel` cannot have; Reverb leaves it out. */
export function checkApplicable(attributes: ReadonlySet<string>, channel: ChannelName, { dialect }: App): void {
  if (dialect === 'reverb') return;
  if (attributes.has('user_count') && channel.kind !== 'presence') {
    throw new ApiError(400, 'Info attribute user_count is only available on presence channels');
  }
  if (attributes.has('cache') && !channel.isCached) {
    throw new ApiError(400, 'Info attribute cache is only available on cache channels');
  }
}

/** The attributes of `wanted` that apply to `channel`. */
export function channelInfo(
  state: InfoState,
  channel: ChannelName,
  wanted: ReadonlySet<string>,
  { dialect }: App,
): ChannelInfo {
  if (dialect === 'reverb') return reverbChannelInfo(state, channel, wanted);
  const info: ChannelInfo = {};
  if (wanted.has('user_count') && channel.kind === 'presence') info.user_count = state.userCount;
  if (wanted.has('subscription_count')) info.subscription_count = state.subscriptionCount;
  if (wanted.has('cache') && channel.isCached) info.cache = cacheInfo(state);
  return info;
}

/** The cached message is stored as it was sent; only this question takes it apart. `ttl` is in seconds. */
function cacheInfo({ cached }: InfoState): { readonly data: string; readonly ttl: number } | null {
  if (cached === undefined) return null;
  const { data } = JSON.parse(cached.payload.toString()) as { data: string };
  return { data, ttl: Math.ceil(cached.expiresInMs / 1_000) };
}
