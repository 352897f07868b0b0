/** Event names with a meaning of their own on the wire. */
export const EventName = {
  connectionEstablished: 'pusher:connection_established',
  error: 'pusher:error',
  ping: 'pusher:ping',
  pong: 'pusher:pong',
  subscribe: 'pusher:subscribe',
  unsubscribe: 'pusher:unsubscribe',
  signin: 'pusher:signin',
  signinSuccess: 'pusher:signin_success',
  subscriptionError: 'pusher:subscription_error',
  cacheMiss: 'pusher:cache_miss',
  subscriptionSucceeded: 'pusher_internal:subscription_succeeded',
  memberAdded: 'pusher_internal:member_added',
  memberRemoved: 'pusher_internal:member_removed',
  subscriptionCount: 'pusher_internal:subscription_count',
  watchlistEvents: 'pusher_internal:watchlist_events',
} as const;

/** A client event is named `client-` and at least one more character. Anchored: `x-client-y` is not one. */
export function isClientEventName(name: string): boolean {
  return name.length > 7 && name.startsWith('client-');
}

/** `pusher:` and `pusher_internal:` belong to the server; publishers may not use them. */
export function isReservedEventName(name: string): boolean {
  return name.startsWith('pusher:') || name.startsWith('pusher_internal:');
}
