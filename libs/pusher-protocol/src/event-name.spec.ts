import { describe, expect, it } from 'vitest';
import { EventName, isClientEventName, isReservedEventName } from './event-name.js';

describe('A client event', () => {
  it.each(['client-x', 'client-typing', 'client--', 'client- ', 'client-client-', 'client-pusher:x', 'client-é'])(
    'may be named %j',
    (name) => {
      expect(isClientEventName(name)).toBe(true);
    },
  );

  it.each(['', 'client', 'client-', 'x-client-y', ' client-x', 'Client-x', 'CLIENT-x', 'client_x', 'clientx'])(
    'is not meant by %j',
    (name) => {
      expect(isClientEventName(name)).toBe(false);
    },
  );

  it.each(['pusher_internal:client-x', 'pusher:client-x'])('is not hidden in %j', (name) => {
    expect(isClientEventName(name)).toBe(false);
    expect(isReservedEventName(name)).toBe(true);
  });
});

describe('A reserved event name', () => {
  it.each([...Object.values(EventName), 'pusher:', 'pusher_internal:', 'pusher:anything', 'pusher_internal:anything'])(
    'is %j',
    (name) => {
      expect(isReservedEventName(name)).toBe(true);
    },
  );

  it.each([
    'pusher',
    'pusher-x',
    'pusher_internal',
    'pusher_internal-x',
    'pusher_internals:x',
    'Pusher:x',
    'PUSHER:x',
    'x-pusher:y',
    ' pusher:x',
    'pusherx:y',
    'App\\Events\\OrderShipped',
    '__proto__',
  ])('is not %j', (name) => {
    expect(isReservedEventName(name)).toBe(false);
  });
});

it('The names on the wire are those of protocol 7', () => {
  expect(EventName).toEqual({
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
  });
});
