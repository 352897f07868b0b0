import type { ChannelState } from '@pogo/hub';
import type { ChannelName } from '@pogo/pusher-protocol';
import { ApiError } from './api-error.js';

/** A channel's attributes as the API names them. */
export interface ChannelInfo {
  occupied?: boolean;
  user_count?: number;
  subscription_count?: number;
  cache?: { readonly data: string; readonly ttl: number } | null;
}

type Attribute = 'user_count' | 'subscription_count' | 'cache';
const ATTRIBUTES: readonly Attribute[] = ['user_count', 'subscription_count', 'cache'];

/** What an `info` parameter or field names, known or not: comma-separated, empty entries are ignored. */
export function attributeNames(info: string): string[] {
  return info
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Attributes in the `info` parameter of a query. @throws ApiError 400 naming one that does not exist. */
export function parseInfo(info: string | undefined): Set<Attribute> {
  const attributes = new Set<Attribute>();
  for (const name of attributeNames(info ?? '')) {
    const attribute = ATTRIBUTES.find((known) => known === name);
    if (attribute === undefined) throw new ApiError(400, `Unknown info attribute ${JSON.stringify(name.slice(0, 64))}`);
    attributes.add(attribute);
  }
  return attributes;
}

/** @throws ApiError 400 naming an attribute that `channel` cannot have. */
export function checkApplicable(attributes: ReadonlySet<string>, channel: ChannelName): void {
  if (attributes.has('user_count') && channel.kind !== 'presence') {
    throw new ApiError(400, 'Info attribute user_count is only available on presence channels');
  }
  if (attributes.has('cache') && !channel.isCached) {
    throw new ApiError(400, 'Info attribute cache is only available on cache channels');
  }
}

/** The attributes of `wanted` that apply to `channel`. */
export function channelInfo(
  state: Omit<ChannelState, 'serial'>,
  channel: ChannelName,
  wanted: ReadonlySet<string>,
): ChannelInfo {
  const info: ChannelInfo = {};
  if (wanted.has('user_count') && channel.kind === 'presence') info.user_count = state.userCount;
  if (wanted.has('subscription_count')) info.subscription_count = state.subscriptionCount;
  if (wanted.has('cache') && channel.isCached) info.cache = cacheInfo(state);
  return info;
}

/** The cached message is stored as it was sent; only this question takes it apart. `ttl` is in seconds. */
function cacheInfo({ cached }: Pick<ChannelState, 'cached'>): (ChannelInfo['cache'] & object) | null {
  if (cached === undefined) return null;
  const { data } = JSON.parse(cached.payload.toString()) as { data: string };
  return { data, ttl: Math.ceil(cached.expiresInMs / 1_000) };
}
